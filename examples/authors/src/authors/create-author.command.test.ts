import { ConflictError } from '@twinwire/core'
import { expect, test } from 'vitest'
import type { Author } from './author.schemas.ts'
import { CreateAuthorCommand } from './create-author.command.ts'

/** The part of the repository that the command uses. */
function createFakeAuthors(...names: string[]) {
  const rows: Author[] = names.map((name, index) => ({ id: index + 1, name }))
  return {
    rows,
    findByName: async (name: string) => rows.find((row) => row.name === name) ?? null,
    create: async ({ name }: { name: string }) => {
      const author = { id: rows.length + 1, name }
      rows.push(author)
      return author
    },
  }
}

test('creates an author', async () => {
  const authors = createFakeAuthors('Franz Kafka')
  expect(await new CreateAuthorCommand(authors).execute({ name: 'Toni Morrison' })).toEqual({
    id: 2,
    name: 'Toni Morrison',
  })
  expect(authors.rows).toHaveLength(2)
})

test('rejects a name that already exists', async () => {
  const authors = createFakeAuthors('Franz Kafka')
  const creating = new CreateAuthorCommand(authors).execute({ name: 'Franz Kafka' })
  await expect(creating).rejects.toThrow(new ConflictError("Author with name 'Franz Kafka' already exists"))
  expect(authors.rows).toHaveLength(1)
})
