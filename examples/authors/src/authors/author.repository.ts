import { BaseRepository, type Database } from '@twinwire/core/database'
import { ilike } from 'drizzle-orm'
import type { Author } from './author.schemas.ts'
import { authors } from './author.table.ts'

export class AuthorRepository extends BaseRepository<typeof authors> {
  constructor(db: Database) {
    super(db, authors)
  }

  findByName(name: string): Promise<Author | null> {
    return this.findOne({ name })
  }

  /** Authors whose name contains `term`, in upper or lower case. */
  search(term: string): Promise<Author[]> {
    return this.getAll({}, { where: ilike(this.table.name, `%${escapeLike(term)}%`) })
  }
}

/** `%`, `_` and the escape itself mean themselves: whoever looks for "100%" does not look for everything. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
