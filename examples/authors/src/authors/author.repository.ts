import type { Page } from '@twinwire/core'
import { BaseRepository, type Database, type Filters } from '@twinwire/core/database'
import type { Author } from './author.schemas.ts'
import { authors } from './author.table.ts'

/** Maximum number of rows of a list. */
const maxListed = 1000

export class AuthorRepository extends BaseRepository<typeof authors> {
  constructor(db: Database) {
    super(db, authors)
  }

  findByName(name: string): Promise<Author | null> {
    return this.findOne({ name })
  }

  /** The first 1000 matching authors, as the first page of a cursor: `meta.has_more` says whether there are more. */
  list(filters: Filters<typeof authors>): Promise<Page<Author>> {
    return this.getPage({ cursor: '', perPage: maxListed, filters })
  }

  /** One page, by number or by cursor; `name` is part of a name, in upper or lower case. */
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
