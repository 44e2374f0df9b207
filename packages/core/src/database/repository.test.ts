import { bigint, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/pglite'
import { describe, expect, test } from 'vitest'
import { createFakeHost, writeMigrations } from './database.fixtures.ts'
import { database } from './database-plugin.ts'
import { describeDatabase } from './repository.suite.ts'
import { BaseRepository } from './repository.ts'
import { toEntityName } from './table.ts'

describeDatabase('on PGlite', async () => {
  const host = createFakeHost()
  const api = await database({ url: 'pglite://memory', migrations: await writeMigrations() }).setup(host)
  return { api, close: () => host.close() }
})

describe('the primary key', () => {
  const db = drizzle.mock()

  test('a table without one, or with one of two columns, is refused when the repository is made', () => {
    const none = pgTable('notes', { text: text() })
    expect(() => new BaseRepository(db, none)).toThrow(/primary key of one column; 'notes' has none/)
    const two = pgTable('pairs', { a: integer(), b: integer() }, (table) => [
      primaryKey({ columns: [table.a, table.b] }),
    ])
    expect(() => new BaseRepository(db, two)).toThrow(/'pairs' has a, b/)
  })

  test('any name and type will do, also declared beside the columns', () => {
    expect(new BaseRepository(db, pgTable('a', { no: bigint({ mode: 'bigint' }).primaryKey() }))).toBeDefined()
    const beside = pgTable('b', { id: text() }, (table) => [primaryKey({ columns: [table.id] })])
    expect(new BaseRepository(db, beside)).toBeDefined()
  })
})

test.each([
  ['authors', 'Author'],
  ['book_categories', 'BookCategory'],
  ['addresses', 'Address'],
  ['boxes', 'Box'],
  ['status', 'Status'],
  ['analysis', 'Analysis'],
  ['days', 'Day'],
  ['user', 'User'],
  ['userAccounts', 'UserAccount'],
  ['_', '_'],
])('the table %s holds rows called %s', (table, entity) => {
  expect(toEntityName(table)).toBe(entity)
})
