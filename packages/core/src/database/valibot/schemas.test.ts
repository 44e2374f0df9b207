import { bigint, integer, jsonb, pgEnum, pgTable, serial, text, timestamp, uuid, varchar } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { filterSchema, filtersFromQuery, pageInput, sortSchema } from '../../database-valibot.ts'

const people = pgTable('people', {
  id: serial().primaryKey(),
  name: varchar({ length: 60 }).notNull(),
  country: text(),
  born: timestamp(),
  ref: uuid(),
  big: bigint({ mode: 'bigint' }),
  kind: pgEnum('kind', ['poet', 'critic'])(),
  rank: integer().notNull(),
  extra: jsonb(),
})
const ref = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'

describe('filterSchema', () => {
  const schema = filterSchema(people, {
    id: true,
    name: ['prefix', 'contains'],
    country: true,
    born: ['gte', 'lt'],
    ref: ['eq'],
    big: true,
    kind: ['eq', 'in'],
  })

  test.each<[filters: object, becomes: object]>([
    [{}, {}],
    [{ id: 7 }, { id: 7 }],
    [{ id: { in: [1, 2], gt: 0 } }, { id: { in: [1, 2], gt: 0 } }],
    [{ name: { prefix: 'a' } }, { name: { prefix: 'a' } }],
    [{ country: null }, { country: null }],
    [{ country: { ne: null } }, { country: { ne: null } }],
    [{ country: { isNull: true } }, { country: { isNull: true } }],
    [{ born: { gte: '2020-01-01T00:00:00Z' } }, { born: { gte: new Date('2020-01-01T00:00:00Z') } }],
    [{ ref }, { ref }],
    [{ big: '9223372036854775807' }, { big: 2n ** 63n - 1n }],
    [{ big: { in: [1, '2'] } }, { big: { in: [1n, 2n] } }],
    [{ kind: { in: ['poet'] } }, { kind: { in: ['poet'] } }],
  ])('%j', (filters, becomes) => {
    expect(v.parse(schema, filters)).toEqual(becomes)
  })

  test.each<[filters: object, path: string]>([
    [{ rank: 1 }, 'rank'],
    [{ nope: 1 }, 'nope'],
    [{ and: [] }, 'and'],
    [{ name: 'x' }, 'name'],
    [{ id: null }, 'id'],
    [{ id: '7' }, 'id'],
    [{ id: 2 ** 31 }, 'id'],
    [{ id: { gt: 1.5 } }, 'id.gt'],
    [{ name: { prefix: 'x'.repeat(257) } }, 'name.prefix'],
    [{ name: { contains: 'a\0' } }, 'name.contains'],
    [{ name: { eq: 'x' } }, 'name.eq'],
    [{ born: { gte: 'yesterday' } }, 'born.gte'],
    [{ born: { gt: '2020-01-01T00:00:00Z' } }, 'born.gt'],
    [{ ref: 'x' }, 'ref'],
    [{ big: '9223372036854775808' }, 'big'],
    [{ big: '1e3' }, 'big'],
    [{ big: { eq: 1.5 } }, 'big'],
    [{ kind: 'novelist' }, 'kind'],
  ])('%j is refused', (filters, path) => {
    const { issues = [] } = v.safeParse(schema, filters)
    expect(issues.map((issue) => v.getDotPath(issue))).toEqual([path])
  })

  test('and, or where they are allowed', () => {
    const combined = filterSchema(people, { id: ['eq'] }, { combine: true })
    const filters = { or: [{ id: 1 }, { and: [{ id: 2 }] }] }
    expect(v.parse(combined, filters)).toEqual(filters)
    expect(v.safeParse(combined, { or: [{ or: [{ rank: 1 }] }] }).success).toBe(false)
  })

  test('a column or an operator that is none is told when the schema is made', () => {
    for (const spec of [{ nope: true }, { extra: true }, { toString: true }] as object[]) {
      expect(() => filterSchema(people, spec)).toThrow(/has no schema for/)
    }
    for (const spec of [{ id: ['prefix'] }, { id: [] }, { id: ['toString'] }] as object[]) {
      expect(() => filterSchema(people, spec)).toThrow(/operators of 'id' of 'people' must be some of eq, ne, in/)
    }
  })
})

describe('filtersFromQuery', () => {
  const schema = filterSchema(people, { id: true, name: ['prefix'], country: true, big: ['eq'], born: ['gte'] })
  const toInput = filtersFromQuery(schema)

  test.each<[query: object, input: object]>([
    [{}, {}],
    [
      { page: 2, nope: 'x' },
      { page: 2, nope: 'x' },
    ],
    [
      { id: '7', page: 2 },
      { page: 2, filters: { id: 7 } },
    ],
    [{ id: 'x' }, { filters: { id: 'x' } }],
    [{ 'id.in': '7' }, { filters: { id: { in: [7] } } }],
    [{ 'id.in': ['7', '8'], 'id.gt': '1' }, { filters: { id: { in: [7, 8], gt: 1 } } }],
    [{ 'name.prefix': '12' }, { filters: { name: { prefix: '12' } } }],
    [{ name: '12' }, { name: '12' }],
    [{ 'country.isNull': 'true' }, { filters: { country: { isNull: true } } }],
    [{ country: 'FR', 'country.ne': 'DE' }, { filters: { country: { eq: 'FR', ne: 'DE' } } }],
    [{ 'country.ne': 'DE', country: 'FR' }, { filters: { country: { ne: 'DE', eq: 'FR' } } }],
    [{ big: '9007199254740993' }, { filters: { big: '9007199254740993' } }],
    [
      { 'id.constructor': '1', '__proto__.x': '1' },
      { 'id.constructor': '1', '__proto__.x': '1' },
    ],
  ])('%j', (query, input) => {
    expect(toInput({ ...query })).toEqual(input)
  })

  test('what it makes is what the schema takes', () => {
    const { filters } = toInput({ id: '7', 'born.gte': '2020-01-01T00:00:00Z', big: '9007199254740993' })
    expect(v.parse(schema, filters)).toEqual({ id: 7, born: { gte: new Date('2020-01-01') }, big: 9007199254740993n })
  })

  test('under another key, and for no other schema', () => {
    expect(filtersFromQuery(schema, 'where')({ id: '1' })).toEqual({ where: { id: 1 } })
    expect(() => filtersFromQuery(v.object({}))).toThrow(/requires a schema of filterSchema/)
  })
})

describe('sortSchema', () => {
  const schema = sortSchema(people, ['name', 'born'])
  test('names, and - before what goes down', () => {
    expect(Object.entries(v.parse(schema, '-born,name'))).toEqual([
      ['born', 'desc'],
      ['name', 'asc'],
    ])
  })
  test.each(['', 'id', 'name,name', '--name', ' name', 'name,', 'toString', 'name desc', ','.repeat(2000)])(
    "'%s' is refused",
    (text) => {
      expect(v.safeParse(schema, text).success).toBe(false)
    },
  )
  test('a column that has no order is told when the schema is made', () => {
    const names: readonly never[] = JSON.parse('["extra"]')
    expect(() => sortSchema(people, names)).toThrow(/'extra' of 'people' is not a column that can be sorted by/)
  })
})

test.each<[input: object, right: boolean]>([
  [{}, true],
  [{ page: 1, per_page: 1000, cursor: '' }, true],
  [{ page: 0 }, false],
  [{ page: 1.5 }, false],
  [{ page: 2 ** 53 }, false],
  [{ per_page: 0 }, false],
  [{ per_page: 5000 }, true],
  [{ per_page: 2 ** 53 }, false],
  [{ cursor: 7 }, false],
  [{ cursor: 'x'.repeat(9000) }, false],
])('pageInput: %j', (input, right) => {
  expect(v.safeParse(v.strictObject({ ...pageInput() }), input).success).toBe(right)
})

test('pageInput: a larger size is the largest of the route', () => {
  const schema = v.strictObject({ ...pageInput({ maxPerPage: 50 }) })
  expect([v.parse(schema, { per_page: 50 }), v.parse(schema, { per_page: 51 }), v.parse(schema, {})]).toEqual([
    { per_page: 50 },
    { per_page: 50 },
    {},
  ])
})
