import { BaseRepository, type Database } from '@twinwire/core/database'
import type { Note } from './note.schemas.ts'
import { notes } from './note.table.ts'

export class NoteRepository extends BaseRepository<typeof notes> {
  constructor(db: Database) {
    super(db, notes)
  }

  findByText(text: string): Promise<Note | null> {
    return this.findOne({ text })
  }

  listNewest(): Promise<Note[]> {
    return this.getAll({}, { orderBy: { id: 'desc' }, limit: 100 })
  }
}
