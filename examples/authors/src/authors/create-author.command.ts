import { BaseCommand, ConflictError } from '@twinwire/core'
import type { AuthorRepository } from './author.repository.ts'
import type { Author, CreateAuthorInput } from './author.schemas.ts'

export class CreateAuthorCommand extends BaseCommand<CreateAuthorInput, Author> {
  // Only the methods that the command uses, so that a test can pass an object with these alone.
  readonly #authors: Pick<AuthorRepository, 'findByName' | 'create'>

  constructor(authors: Pick<AuthorRepository, 'findByName' | 'create'>) {
    super()
    this.#authors = authors
  }

  async execute({ name }: CreateAuthorInput): Promise<Author> {
    if (await this.#authors.findByName(name)) throw new ConflictError(`Author with name '${name}' already exists`)
    return this.#authors.create({ name })
  }
}
