import type { SQL } from 'drizzle-orm'
import { bigint, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/pglite'
import * as vitest from 'vitest'
import { describe, expect, test, vi } from 'vitest'
import { createFakeHost, writeMigrations } from './database.fixtures.ts'
import { database } from './database-plugin.ts'
import { describeQueries } from './queries.suite.ts'
import { BaseRepository } from './repository.ts'
import { toEntityName } from './table.ts'
import { describeDatabase } from './testing/suites/driver.suite.ts'

// The start of PGlite, and statements of many rows, take their time on a busy machine.
vi.setConfig({ hookTimeout: 180_000, testTimeout: 120_000 })

describeDatabase(
  vitest,
  'on PGlite',
  async () => {
    const host = createFakeHost()
    const api = await database({ url: 'pglite://memory', migrations: await writeMigrations() }).setup(host)
    return { api, close: () => host.close() }
  },
  describeQueries,
)

test('exists reads no column of the row [defect 49]', async () => {
  const db = drizzle.mock()
  const selected: string[][] = []
  const select = (fields: Record<string, SQL>) => {
    selected.push(Object.keys(fields))
    return db.select(fields)
  }
  const watched = new Proxy(db, {
    get: (target, name, receiver) => (name === 'select' ? select : Reflect.get(target, name, receiver)),
  })
  const notes = pgTable('notes', { id: integer().primaryKey() })
  // The mock has no connection to run the query on.
  await expect(new BaseRepository(watched, notes).exists({ id: 1 })).rejects.toThrow()
  expect(selected).toEqual([['one']])
})

describe('the primary key', () => {
  const db = drizzle.mock()

  test('a table without one is refused when the repository is made, and a key of two columns has to be named', () => {
    const none = pgTable('notes', { text: text() })
    expect(() => new BaseRepository(db, none)).toThrow(/a table with a primary key; 'notes' has none/)
    const two = pgTable('pairs', { a: integer(), b: integer() }, (table) => [
      primaryKey({ columns: [table.a, table.b] }),
    ])
    expect(() => new BaseRepository(db, two)).toThrow(/'pairs' has 2 columns: name them: .*\['a', 'b'\]/)
    expect(() => new BaseRepository(db, two, { key: ['a'] })).toThrow(/'pairs' is a, b, not a/)
    expect(new BaseRepository(db, two, { key: ['b', 'a'] })).toBeDefined()
  })

  test('any name and type will do, also declared beside the columns', () => {
    expect(new BaseRepository(db, pgTable('a', { no: bigint({ mode: 'bigint' }).primaryKey() }))).toBeDefined()
    const beside = pgTable('b', { id: text() }, (table) => [primaryKey({ columns: [table.id] })])
    expect(new BaseRepository(db, beside)).toBeDefined()
  })

  test('a version is an integer column that is not null', () => {
    const table = pgTable('v', { id: integer().primaryKey(), maybe: integer(), version: integer().notNull() })
    expect(new BaseRepository(db, table, { version: 'version' })).toBeDefined()
    const maybe: object = { version: 'maybe' }
    expect(() => new BaseRepository(db, table, maybe)).toThrow(/an integer column that is not null, not 'maybe'/)
    const nowhere: object = { version: 'constructor' }
    expect(() => new BaseRepository(db, table, nowhere)).toThrow(/not 'constructor'/)
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
