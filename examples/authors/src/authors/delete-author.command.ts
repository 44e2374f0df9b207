import { BaseCommand } from '@twinwire/core'
import type { AuthorRepository } from './author.repository.ts'
import type { AuthorIdInput } from './author.schemas.ts'

export class DeleteAuthorCommand extends BaseCommand<AuthorIdInput, void> {
  readonly #authors: Pick<AuthorRepository, 'delete'>

  constructor(authors: Pick<AuthorRepository, 'delete'>) {
    super()
    this.#authors = authors
  }

  execute({ id }: AuthorIdInput): Promise<void> {
    return this.#authors.delete(id)
  }
}
