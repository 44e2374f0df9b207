import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  char,
  customType,
  date,
  doublePrecision,
  integer,
  numeric,
  type PgColumn,
  type PgTable,
  pgEnum,
  pgTable,
  primaryKey,
  real,
  text,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { DatabaseApi } from './database.ts'
import { hasMany, hasOne } from './relations.ts'
import { BaseRepository } from './repository.ts'

/** The types whose values PostgreSQL compares by a rule of its own: of an extension, an ICU collation and an enum. */
const folded = customType<{ data: string }>({ dataType: () => 'folded' })
const citext = customType<{ data: string }>({ dataType: () => 'citext' })
const short = customType<{ data: string }>({ dataType: () => 'short_text' })
const plain = customType<{ data: string }>({ dataType: () => 'char' })
const color = pgEnum('color', ['red', 'blue'])

const columns = {
  citext: () => citext(),
  folded: () => folded(),
  domain: () => short(),
  oneChar: () => plain(),
  numeric: () => numeric(),
  scaled: () => numeric({ precision: 10, scale: 2 }),
  numericNumber: () => numeric({ mode: 'number' }),
  char: () => char({ length: 4 }),
  varchar: () => varchar({ length: 4 }),
  text: () => text(),
  uuid: () => uuid(),
  integer: () => integer(),
  bigint: () => bigint({ mode: 'bigint' }),
  bigintNumber: () => bigint({ mode: 'number' }),
  real: () => real(),
  double: () => doublePrecision(),
  date: () => date(),
  dateDate: () => date({ mode: 'date' }),
  timestamp: () => timestamp({ mode: 'string' }),
  timestampDate: () => timestamp(),
  timestamptz: () => timestamp({ withTimezone: true }),
  color: () => color(),
}
type Kind = keyof typeof columns

const ddl = [
  `create collation ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
  `create domain folded as text collate ignore_case`,
  `create domain short_text as text check (length(value) < 4)`,
  `create type color as enum ('red', 'blue')`,
]

/** What is asked by a key that PostgreSQL holds equal to that of a row, on any driver. */
export function describeEqualKeys(open: () => DatabaseApi): void {
  describe('keys that PostgreSQL holds equal', () => {
    /** PGlite has neither the extension nor these rules of ICU. */
    const missing = new Set<Kind>()
    beforeAll(async () => {
      const { db } = open()
      for (const statement of ddl) await db.execute(sql.raw(statement))
      await db.execute(sql`create extension citext`).catch(() => missing.add('citext'))
      const folds = db.select({ one: sql`1` }).from(sql`(select 'A'::folded as a) as folds`)
      if ((await folds.where(sql`a = 'a'`)).length === 0) missing.add('folded')
    })

    let made = 0
    /** A table of its own, with a key and a value of these kinds. */
    const make = async (kind: Kind) => {
      made += 1
      const name = `equal_${made}`
      const table = pgTable(name, { id: columns[kind]().primaryKey(), no: bigserial({ mode: 'number' }) })
      await open().db.execute(sql.raw(`create table ${name} (id ${table.id.getSQLType()} primary key, no bigserial)`))
      return { table, repository: new BaseRepository<PgTable, never>(open().db, table) }
    }

    test.each<[Kind, stored: unknown, asked: readonly unknown[], others: readonly unknown[]]>([
      ['citext', 'Ann@x', ['ann@x', 'ANN@X', 'Ann@x'], ['ann', '']],
      ['folded', 'Straße', ['straße', 'STRAßE'], ['strasse']],
      ['domain', 'abc', ['abc'], ['abcd', 'ABC']],
      ['oneChar', 'a', ['a'], ['ab', '']],
      ['numeric', '1.50', ['1.5', '1.500', '01.5', '15e-1'], ['1.51', '-1.5']],
      ['scaled', '1.50', ['1.5', '1.500'], ['1.501', '1.499']],
      ['numeric', 'NaN', ['NaN'], ['0']],
      ['numericNumber', 1.5, [1.5], [1]],
      ['char', 'ab', ['ab', 'ab  ', 'ab   '], ['ab\t', 'abcde', 'AB']],
      ['varchar', 'abcd', ['abcd'], ['abcde', 'abcd ']],
      ['text', 'a', ['a'], ['a ', 'A']],
      ['uuid', '0aaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', ['0AAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA'], []],
      ['real', 0.1, [0.1], [0.2]],
      ['double', 0, [-0, 0], [1]],
      ['date', '2024-05-06', ['2024-05-06', 'May 6, 2024', '20240506'], ['2024-06-05']],
      ['dateDate', new Date('2024-05-06'), [new Date('2024-05-06')], [new Date('2024-06-05')]],
      ['timestamp', '2024-05-06 07:08:09', ['2024-05-06T07:08:09', '2024-05-06 07:08:09.000000'], []],
      ['timestamptz', new Date(1e12), [new Date(1e12)], [new Date(1e12 + 1)]],
      ['color', 'red', ['red'], ['blue']],
    ])('%s %s is found by each of its spellings, alone and among many', async (kind, stored, asked, others) => {
      if (missing.has(kind)) return
      const { repository } = await make(kind)
      const row = await repository.create({ id: stored })
      for (const id of asked) expect(await repository.getById(id as never)).toEqual(row)
      const ids = [...asked, ...others, ...asked] as never[]
      expect(await repository.getMany(ids)).toEqual([...asked, ...asked].map(() => row))
      expect(await repository.getMany(others as never[])).toEqual([])
    })

    test('NaN, the infinities and -0 are keys and filters as they are values', async () => {
      const table = pgTable('equal_floats', {
        id: doublePrecision().primaryKey(),
        x: integer(),
        price: numeric({ mode: 'number' }),
      })
      await open().db.execute(sql`create table equal_floats (id float8 primary key, x integer, price numeric)`)
      const repository = new BaseRepository(open().db, table)
      const ids = [0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1 + 0.2]
      await repository.createMany(ids.map((id, x) => ({ id, x, price: id })))
      for (const [x, id] of ids.entries()) {
        const row = { id, x, price: id }
        expect(await repository.getById(id)).toEqual(row)
        expect(await repository.getAll({ id })).toEqual([row])
        expect(await repository.getAll({ price: id })).toEqual([row])
        expect(await repository.update(id, { x })).toEqual(row)
      }
      const found = await repository.getMany([-0, ...ids])
      expect(found.map(({ x }) => x)).toEqual([0, 0, 1, 2, 3, 4])
      const paged = await repository.getPage({ cursor: '', orderBy: { id: 'desc' } })
      expect(paged.items.map(({ x }) => x)).toEqual([1, 2, 4, 0, 3])
    })

    test('of several columns too', async () => {
      const table = pgTable('equal_pairs', { a: numeric(), b: char({ length: 4 }) }, ({ a, b }) => [
        primaryKey({ columns: [a, b] }),
      ])
      await open().db.execute(sql`create table equal_pairs (a numeric, b char(4), primary key (a, b))`)
      const repository = new BaseRepository<typeof table, 'a' | 'b'>(open().db, table, { key: ['a', 'b'] })
      const [one, two] = await repository.createMany([
        { a: '1.50', b: 'x' },
        { a: '1', b: 'y' },
      ])
      const ids = [
        { a: '1.5', b: 'x ' },
        { a: '1.0', b: 'y' },
        { a: '1.5', b: 'y' },
        { a: '1.50', b: 'x' },
      ]
      expect(await repository.getMany(ids)).toEqual([one, two, one])
    })

    test.each<[Kind, unknown, Kind, unknown, boolean]>([
      ['numeric', '1.50', 'numeric', '1.5', true],
      ['numeric', '5.00', 'integer', 5, true],
      ['numeric', '5.5', 'integer', 5, false],
      ['integer', 5, 'numeric', '5.00', true],
      ['integer', 5, 'bigint', 5n, true],
      ['bigint', 2n ** 40n, 'integer', 5, false],
      ['bigintNumber', 5, 'scaled', '5.00', true],
      ['double', 0.5, 'numeric', '0.50', true],
      ['numeric', 'NaN', 'double', Number.NaN, true],
      ['double', -0, 'integer', 0, true],
      ['char', 'ab', 'text', 'ab', true],
      ['text', 'ab', 'char', 'ab', true],
      ['varchar', 'ab', 'char', 'ab', true],
      ['text', 'abcde', 'varchar', 'abcd', false],
      ['text', 'abcde', 'char', 'abcd', false],
      ['citext', 'Ann', 'citext', 'ann', true],
      ['folded', 'Ann', 'folded', 'ann', true],
      ['date', '2024-05-06', 'timestampDate', new Date('2024-05-06'), true],
      ['dateDate', new Date('2024-05-06'), 'timestamp', '2024-05-06 00:00:00', true],
      ['timestamp', '2024-05-06 00:00:00', 'dateDate', new Date('2024-05-06'), true],
      ['timestampDate', new Date('2024-05-06'), 'date', '2024-05-06', true],
      ['timestampDate', new Date('2024-05-06T01:00Z'), 'date', '2024-05-06', false],
      ['timestampDate', new Date('2024-05-06T01:02:03.456Z'), 'timestamp', '2024-05-06 01:02:03.456', true],
      ['text', '0AAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA', 'uuid', '0aaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', true],
      ['text', 'none', 'uuid', '0aaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', false],
      ['uuid', '0aaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'text', '0aaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', true],
      ['color', 'red', 'text', 'red', true],
      ['text', 'red', 'color', 'red', true],
      ['integer', 5, 'text', '5', true],
      ['text', '5', 'integer', 5, true],
      ['text', 'x', 'integer', 5, false],
      ['text', '99999999999', 'integer', 5, false],
      ['domain', 'abc', 'text', 'abc', true],
      ['text', 'abcdef', 'domain', 'abc', false],
    ])('%s %s is joined with %s %s: %s', async (fromKind, fromValue, toKind, toValue, isJoined) => {
      if (missing.has(fromKind) || missing.has(toKind)) return
      const [from, to] = [await make(fromKind), await make(toKind)]
      const row = await from.repository.create({ id: fromValue })
      const related = await to.repository.create({ id: toValue })
      const ends: { from: PgColumn; to: PgColumn } = { from: from.table.id, to: to.table.id }
      const relations = { one: hasOne<PgTable>(to.table, ends), many: hasMany<PgTable>(to.table, ends) }
      const [loaded] = await from.repository.load([row as never], relations, ['one', 'many'])
      expect(loaded).toMatchObject({ one: isJoined ? related : null, many: isJoined ? [related] : [] })
    })

    test('rows whose keys are equal are each given all that belong to them', async () => {
      const list = pgTable('equal_list', { id: bigserial({ mode: 'number' }).primaryKey(), price: numeric() })
      await open().db.execute(sql`create table equal_list (id bigserial primary key, price numeric)`)
      const prices = new BaseRepository(open().db, list)
      const rows = await prices.createMany([{ price: '1.5' }, { price: '1.50' }, { price: '2' }, { price: null }])
      const relations = { same: hasMany(list, { from: list.price, to: list.price, limit: 2 }) }
      const loaded = await prices.load(rows, relations, ['same'])
      expect(loaded.map(({ same }) => same.map(({ id }) => id))).toEqual([[1, 2], [1, 2], [3], []])
    })
  })
}
