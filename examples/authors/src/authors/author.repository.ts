import type { Page } from '@twinwire/core'
import { BaseRepository, type Database } from '@twinwire/core/database'
import { ilike, type SQL } from 'drizzle-orm'
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
    return this.getAll({}, { where: this.#nameContains(term) })
  }

  /** One page; `name` is part of a name, as in `search`. */
  searchPage({ id, name, ...page }: SearchPage): Promise<Page<Author>> {
    const filters = { id }
    return this.getPage(
      name === undefined ? { ...page, filters } : { ...page, filters, where: this.#nameContains(name) },
    )
  }

  #nameContains(term: string): SQL {
    return ilike(this.table.name, `%${escapeLike(term)}%`)
  }
}

interface SearchPage {
  readonly page: number
  readonly perPage: number
  readonly id?: number | undefined
  readonly name?: string | undefined
}

/** `%`, `_` and the escape itself mean themselves: whoever looks for "100%" does not look for everything. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
