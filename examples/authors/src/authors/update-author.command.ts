import { BaseCommand, ConflictError } from '@twinwire/core'
import type { AuthorRepository } from './author.repository.ts'
import type { Author, UpdateAuthorInput } from './author.schemas.ts'

export class UpdateAuthorCommand extends BaseCommand<UpdateAuthorInput, Author> {
  readonly #authors: Pick<AuthorRepository, 'getById' | 'findByName' | 'update'>

  constructor(authors: Pick<AuthorRepository, 'getById' | 'findByName' | 'update'>) {
    super()
    this.#authors = authors
  }

  async execute({ id, name }: UpdateAuthorInput): Promise<Author> {
    // First: a missing author is reported before a name that already exists.
    await this.#authors.getById(id)
    const namesake = await this.#authors.findByName(name)
    if (namesake && namesake.id !== id) throw new ConflictError(`Author with name '${name}' already exists`)
    return this.#authors.update(id, { name })
  }
}
