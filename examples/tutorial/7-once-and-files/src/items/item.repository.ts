import { BaseRepository, type Database } from '@twinwire/core/database'
import type { Item } from './item.schemas.ts'
import { items } from './item.table.ts'

export class ItemRepository extends BaseRepository<typeof items> {
  constructor(db: Database) {
    super(db, items)
  }

  /** What is still to be bought, in the order in which it was added. */
  listOpen(): Promise<Item[]> {
    return this.getAll({ bought: false }, { orderBy: { id: 'asc' } })
  }

  findOpen(name: string): Promise<Item | null> {
    return this.findOne({ name, bought: false })
  }
}
