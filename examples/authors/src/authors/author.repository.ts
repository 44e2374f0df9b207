import type { Page } from '@twinwire/core'
import { BaseRepository, type Database } from '@twinwire/core/database'
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
    return this.getAll({ name: { contains: term } })
  }

  /** One page, by number or by cursor; `name` is part of a name, as in `search`. */
  searchPage({ id, name, ...page }: SearchPage): Promise<Page<Author>> {
    return this.getPage({ ...page, filters: { id, name: { contains: name } } })
  }
}

interface SearchPage {
  readonly page?: number | undefined
  readonly perPage?: number | undefined
  readonly cursor?: string | undefined
  readonly id?: number | undefined
  readonly name?: string | undefined
}
