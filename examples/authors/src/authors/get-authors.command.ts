import { BaseCommand, type Page } from '@twinwire/core'
import type { AuthorRepository } from './author.repository.ts'
import type { Author, GetAuthorsInput } from './author.schemas.ts'

/** The first 1000 at most: the page says whether there are more. */
export class GetAuthorsCommand extends BaseCommand<GetAuthorsInput, Page<Author>> {
  readonly #authors: Pick<AuthorRepository, 'list'>

  constructor(authors: Pick<AuthorRepository, 'list'>) {
    super()
    this.#authors = authors
  }

  execute({ search_term: term, id, name }: GetAuthorsInput): Promise<Page<Author>> {
    return this.#authors.list(term === undefined ? { id, name } : { name: { contains: term } })
  }
}
