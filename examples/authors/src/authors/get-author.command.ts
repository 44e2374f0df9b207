import { BaseCommand } from '@twinwire/core'
import type { AuthorRepository } from './author.repository.ts'
import type { Author, AuthorIdInput } from './author.schemas.ts'

export class GetAuthorCommand extends BaseCommand<AuthorIdInput, Author> {
  readonly #authors: Pick<AuthorRepository, 'getById'>

  constructor(authors: Pick<AuthorRepository, 'getById'>) {
    super()
    this.#authors = authors
  }

  execute({ id }: AuthorIdInput): Promise<Author> {
    return this.#authors.getById(id)
  }
}
