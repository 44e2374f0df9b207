import { ConflictError, NotFoundError } from '@twinwire/core'
import { expect, test } from 'vitest'
import type { Author } from './author.schemas.ts'
import { UpdateAuthorCommand } from './update-author.command.ts'

/** The part of the repository that the command uses. */
function createFakeAuthors(...names: string[]) {
  const rows: Author[] = names.map((name, index) => ({ id: index + 1, name }))
  const getById = async (id: number) => {
    const author = rows.find((row) => row.id === id)
    if (author === undefined) throw new NotFoundError(`Author with ID ${id} not found`)
    return author
  }
  return {
    getById,
    findByName: async (name: string) => rows.find((row) => row.name === name) ?? null,
    update: async (id: number, patch: { readonly name?: string | undefined }) =>
      Object.assign(await getById(id), patch),
  }
}

const command = () => new UpdateAuthorCommand(createFakeAuthors('Franz Kafka', 'Toni Morrison'))

test('renames an author', async () => {
  expect(await command().execute({ id: 1, name: 'F. Kafka' })).toEqual({ id: 1, name: 'F. Kafka' })
})

test('accepts the current name of the author', async () => {
  expect(await command().execute({ id: 1, name: 'Franz Kafka' })).toEqual({ id: 1, name: 'Franz Kafka' })
})

test('rejects the name of another author', async () => {
  const updating = command().execute({ id: 1, name: 'Toni Morrison' })
  await expect(updating).rejects.toThrow(new ConflictError("Author with name 'Toni Morrison' already exists"))
})

test('reports a missing author before a name that already exists', async () => {
  const updating = command().execute({ id: 3, name: 'Toni Morrison' })
  await expect(updating).rejects.toThrow(new NotFoundError('Author with ID 3 not found'))
})
