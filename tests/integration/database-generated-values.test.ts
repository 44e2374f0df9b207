// Generated values of every column builder, by every way to write and to read, on both drivers and under three sets of settings.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aliasedTable, eq, relations, sql } from 'drizzle-orm'
import { integer, type PgColumnBuilderBase, pgTable, text } from 'drizzle-orm/pg-core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import type { Database, DatabaseApi } from '../../packages/core/src/database/database.ts'
import { database } from '../../packages/core/src/database/database-plugin.ts'
import { hasMany } from '../../packages/core/src/database/relations.ts'
import { BaseRepository } from '../../packages/core/src/database/repository.ts'
import { toTableShape } from '../../packages/core/src/database/table.ts'
import { citext, columnsOf, type Kind, kinds, type Sample, types } from '../support/column-values.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

/** Rows of each of the six runs: with about 150 columns, more than 20,000 values in all. */
const rowsPerRun = 26
const settings = {
  'as they come': [],
  'of a German in Kathmandu': [
    `datestyle = 'German'`,
    `timezone = 'Asia/Kathmandu'`,
    `intervalstyle = 'iso_8601'`,
    `bytea_output = 'escape'`,
    'extra_float_digits = -5',
    'array_nulls = off',
  ],
  'of New York': [
    `datestyle = 'SQL, DMY'`,
    `timezone = 'America/New_York'`,
    `intervalstyle = 'sql_standard'`,
    `bytea_output = 'escape'`,
    'extra_float_digits = 0',
  ],
} as const

let values = 0
afterAll(() => expect(values).toBeGreaterThan(20_000))

describe.skipIf(!(await hasPostgres()))('on PostgreSQL', () =>
  describeOn({ ...kinds, citext }, ['create extension citext', ...types], async () => {
    const postgres = await startPostgres()
    return { url: postgres.url, stop: () => postgres.stop() }
  }),
)

describe('on PGlite', () =>
  describeOn(kinds, types, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-values-'))
    return { url: `pglite://${folder}`, stop: () => rm(folder, { recursive: true, force: true }) }
  }))

type Start = () => Promise<{ url: string; stop: () => Promise<void> }>
type Row = Record<string, unknown>

function describeOn(known: Readonly<Record<string, Kind>>, ddl: readonly string[], start: Start): void {
  const list = Object.entries(known).flatMap(([name, each]) => columnsOf(name, each))
  const builders: Record<string, PgColumnBuilderBase> = Object.fromEntries(
    list.map(([name, builder]) => [name, builder]),
  )
  const all = pgTable('all_values', {
    id: integer().primaryKey(),
    parent: integer().notNull(),
    counted: integer().generatedAlwaysAsIdentity(),
    doubled: integer().generatedAlwaysAs(sql`id * 2`),
    ...builders,
  })
  const parents = pgTable('parents', { id: integer().primaryKey(), name: text() })
  const schema = {
    all,
    parents,
    allRelations: relations(all, ({ one }) => ({
      owner: one(parents, { fields: [all.parent], references: [parents.id] }),
    })),
    parentsRelations: relations(parents, ({ many }) => ({ all: many(all) })),
  }
  const names = list.map(([name]) => name)
  const samples: fc.Arbitrary<Readonly<Record<string, Sample>>> = fc.record(
    Object.fromEntries(list.map(([name, , arbitrary]) => [name, arbitrary])),
  )
  const shape = toTableShape(all)
  const quote = (name: string) => `"${name}"`
  const tables = [
    ...ddl,
    'create table parents (id integer primary key, name text)',
    `create table all_values (id integer primary key, parent integer not null, counted integer generated always as identity,
      doubled integer generated always as (id * 2) stored, ${names.map((name) => `${quote(name)} ${shape.columns[name]?.column.getSQLType()}`).join(', ')})`,
  ]

  let url = ''
  let stop = async (): Promise<void> => {}
  const open = async (run: (db: Database<typeof schema>, api: DatabaseApi) => Promise<void>) => {
    const host = createFakeHost()
    const api = await database({ url, schema }).setup(host)
    try {
      await run(api.db as Database<typeof schema>, api)
    } finally {
      await host.close()
    }
  }
  beforeAll(async () => {
    ;({ url, stop } = await start())
    await open(async (db) => {
      for (const statement of tables) await db.execute(sql.raw(statement))
    })
  }, 120_000)
  afterAll(() => stop())

  test.each(Object.entries(settings))(
    'under the settings %s',
    async (name, set) => {
      await open(async (db) => {
        const [{ it } = { it: '' }] = await db
          .select({ it: sql<string>`quote_ident(current_database())` })
          .from(sql`(select 1) as one`)
        for (const each of ['reset all', ...set.map((one) => `set ${one}`)])
          await db.execute(sql.raw(`alter database ${it} ${each}`))
      })
      const rows = fc.sample(samples, { numRuns: rowsPerRun, seed: name.length })
      await open((db) => check(db, rows))
    },
    120_000,
  )

  /** `from`: ids start there. */
  const valuesOf = (row: Readonly<Record<string, Sample>>, id: number): Row => ({
    id,
    parent: id % 1000,
    ...Object.fromEntries(names.map((name) => [name, row[name]?.value])),
  })

  async function check(db: Database<typeof schema>, rows: readonly Readonly<Record<string, Sample>>[]): Promise<void> {
    const repository = new BaseRepository(db, all)
    type Insert = typeof all.$inferInsert
    await db.execute(sql`truncate all_values restart identity`)
    await db.execute(sql`truncate parents`)
    const given = rows.map((row, index) => valuesOf(row, index + 1))
    const inserts = given as unknown as readonly Insert[]
    const expected = given.map((row, index) => ({ ...row, counted: index + 1, doubled: (index + 1) * 2 }))
    const isRow = (actual: unknown, index: number, id = index + 1) =>
      expectRow(actual, { ...expected[index], id, doubled: id * 2, counted: expect.any(Number) })

    // Written by every method, each time with the row as stored in the answer.
    const half = Math.floor(rows.length / 2)
    for (const [index, row] of (await repository.createMany(inserts.slice(0, half))).entries()) isRow(row, index)
    for (let index = half; index < rows.length; index += 1) {
      const insert = inserts[index]
      if (insert === undefined) continue
      if (index % 3 === 0) isRow(await repository.create(insert), index)
      else if (index % 3 === 1) {
        isRow(await repository.upsert(insert), index)
        isRow(await repository.upsert(insert), index)
      } else {
        const { id, parent, ...rest } = insert
        const serials = Object.fromEntries(Object.entries(rest).filter(([name]) => /serial/i.test(name)))
        await repository.create({ id, parent, ...serials } as Insert)
        isRow(await repository.update(id, rest), index)
      }
    }
    values += rows.length * names.length

    // The oracle: the same values by expressions of SQL alone.
    for (const [index, row] of rows.entries()) {
      const written = names.map((name) => row[name]?.written ?? 'null').join(', ')
      const [id, parent] = [index + 1001, index + 1]
      await db.execute(
        sql.raw(
          `insert into all_values (id, parent, ${names.map(quote).join(', ')}) values (${id}, ${parent}, ${written})`,
        ),
      )
    }
    const others = names.map(
      (name) => `count(*) filter (where a.${quote(name)}::text is distinct from b.${quote(name)}::text)`,
    )
    const [differences] = await db
      .select({ by: sql<string[]>`array[${sql.raw(others.join(', '))}]` })
      .from(sql.raw('all_values a join all_values b on b.id = a.id + 1000'))
    expect(names.filter((_, index) => differences?.by[index] !== '0')).toEqual([])
    values += rows.length * names.length

    // Read by every method.
    const found = await repository.getAll()
    expect(found).toHaveLength(rows.length * 2)
    for (const [index, row] of found.entries())
      isRow(row, index % rows.length, index < rows.length ? index + 1 : index - rows.length + 1001)
    const ids = rows.map((_, index) => index + 1001)
    for (const [index, row] of (await repository.getMany(ids)).entries()) isRow(row, index, index + 1001)
    for (const index of [0, 1, 2]) isRow(await repository.getById(index + 1), index)
    await db.insert(parents).values(rows.map((_, index) => ({ id: index + 1 })))
    const owners = new BaseRepository(db, parents)
    const loaded = await owners.load(
      await owners.getAll(),
      { all: hasMany(all, { from: parents.id, to: all.parent }) },
      ['all'],
    )
    for (const part of [names.slice(0, 80), names.slice(80)]) {
      // A relational query is a function of the columns, and a function has 100 arguments at most.
      const columns: object = Object.fromEntries(['id', ...part].map((name) => [name, true]))
      for (const owner of await db.query.parents.findMany({ with: { all: { columns } }, orderBy: parents.id })) {
        expect(owner.all).toHaveLength(2)
        for (const row of owner.all) expectRow(row, pickOf({ ...expected[owner.id - 1], id: row.id }, ['id', ...part]))
      }
    }
    for (const owner of loaded) {
      expect(owner.all).toHaveLength(2)
      for (const row of owner.all) isRow(row, owner.id - 1, row.id)
    }
    for (const { owner, ...row } of await db.query.all.findMany({
      with: { owner: true },
      orderBy: all.id,
      limit: rows.length,
    })) {
      isRow(row, row.id - 1)
      expect(owner).toEqual({ id: row.parent, name: null })
    }
    const other = aliasedTable(all, 'other')
    const joined = await db
      .select({ own: all, other })
      .from(all)
      .leftJoin(other, eq(other.id, sql`${all.id} + 1000`))
      .orderBy(all.id)
    for (const [index, { own, other: second }] of joined.slice(0, rows.length).entries()) {
      isRow(own, index)
      isRow(second, index, index + 1001)
    }
    expect(Reflect.get(Object(joined.at(-1)), 'other')).toBeNull()

    // Found by filters, and paged through by cursors.
    for (const name of names) {
      const column = shape.columns[name]
      const row = expected.find((each) => Reflect.get(each, name) !== null)
      const value: unknown = row === undefined ? null : Reflect.get(row, name)
      if (row === undefined || column === undefined || column.comparison === 'opaque' || column.check(value) !== null)
        continue
      const filters = { [name]: value, id: Reflect.get(row, 'id') } as object
      expect([name, await repository.count(filters)]).toEqual([name, 1])
    }
    for (const name of names) {
      if (shape.columns[name]?.comparison !== 'scalar' || /point|line/i.test(name)) continue
      const orderBy: object = { [name]: 'asc' }
      const seen: number[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page = await repository.getPage({ cursor, perPage: 20, orderBy })
        for (const row of page.items) {
          seen.push(row.id)
          if (seen.length < 10) isRow(row, (row.id - 1) % 1000, row.id)
        }
        cursor = page.meta.next_cursor
      }
      const ordered = (await repository.getAll({}, { orderBy })).map((row) => row.id)
      expect([name, seen]).toEqual([name, ordered])
    }
  }
}

function pickOf(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name]]))
}

/** Column by column: a difference of one says which. */
function expectRow(actual: unknown, expected: Row): void {
  const row: Row = Object(actual)
  for (const [name, value] of Object.entries(expected)) expect({ [name]: row[name] }).toStrictEqual({ [name]: value })
  expect(Object.keys(row).sort()).toEqual(Object.keys(expected).sort())
}
