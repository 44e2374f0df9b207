import { BaseCommand } from '@twinwire/core'
import type { AuthorRepository } from './author.repository.ts'
import type { Author, GetAuthorsInput } from './author.schemas.ts'

export class GetAuthorsCommand extends BaseCommand<GetAuthorsInput, Author[]> {
  readonly #authors: Pick<AuthorRepository, 'getAll' | 'search'>

  constructor(authors: Pick<AuthorRepository, 'getAll' | 'search'>) {
    super()
    this.#authors = authors
  }

  execute({ search_term: term, id, name }: GetAuthorsInput): Promise<Author[]> {
    return term === undefined ? this.#authors.getAll({ id, name }) : this.#authors.search(term)
  }
}
