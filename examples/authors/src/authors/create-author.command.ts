import { BaseCommand, ConflictError } from '@twinwire/core'
import type { AuthorRepository } from './author.repository.ts'
import type { Author, CreateAuthorInput } from './author.schemas.ts'

export class CreateAuthorCommand extends BaseCommand<CreateAuthorInput, Author> {
  // A command names what it needs of the repository; a test hands it that much and no more.
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
