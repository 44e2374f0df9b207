import { BaseCommand, type Page } from '@twinwire/core'
import type { AuthorRepository } from './author.repository.ts'
import type { Author, GetPaginatedAuthorsInput } from './author.schemas.ts'

export class GetPaginatedAuthorsCommand extends BaseCommand<GetPaginatedAuthorsInput, Page<Author>> {
  readonly #authors: Pick<AuthorRepository, 'searchPage'>

  constructor(authors: Pick<AuthorRepository, 'searchPage'>) {
    super()
    this.#authors = authors
  }

  execute({ page, per_page: perPage, cursor, filters }: GetPaginatedAuthorsInput): Promise<Page<Author>> {
    return this.#authors.searchPage({ page, perPage, cursor, ...filters })
  }
}
