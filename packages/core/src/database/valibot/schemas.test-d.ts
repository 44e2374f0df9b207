import { bigint, integer, jsonb, pgTable, serial, text, timestamp } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { BaseRepository, type Database, type Filters, type OrderBy } from '../../database.ts'
import { filterSchema, filtersFromQuery, pageInput, sortSchema } from '../../database-valibot.ts'

const people = pgTable('people', {
  id: serial().primaryKey(),
  name: text().notNull(),
  country: text(),
  born: timestamp(),
  big: bigint({ mode: 'bigint' }).notNull(),
  rank: integer().notNull(),
  extra: jsonb(),
})
const schema = filterSchema(people, { id: true, name: ['prefix'], country: ['eq', 'ne'], born: ['gte'], big: ['eq'] })
type Input = v.InferInput<typeof schema>
type Output = v.InferOutput<typeof schema>
declare const db: Database

describe('filterSchema', () => {
  test('what comes in and what comes out are the columns and operators that were named', () => {
    expectTypeOf<Output>().toExtend<Filters<typeof people>>()
    expectTypeOf<keyof Output>().toEqualTypeOf<'id' | 'name' | 'country' | 'born' | 'big'>()
    expectTypeOf<Output['name']>().toEqualTypeOf<{ prefix?: string | undefined } | undefined>()
    expectTypeOf<Output['born']>().toEqualTypeOf<{ gte?: Date | undefined } | undefined>()
    expectTypeOf<Input['born']>().toEqualTypeOf<{ gte?: string | undefined } | undefined>()
    expectTypeOf<Input['big']>().toEqualTypeOf<string | number | { eq?: string | number | undefined } | undefined>()
    expectTypeOf<null>().toExtend<Output['country']>()
    expectTypeOf<null>().not.toExtend<Output['id']>()
    expectTypeOf<number>().toExtend<Output['id']>()
  })

  test('names and operators that the table does not have', () => {
    // @ts-expect-error no such column
    filterSchema(people, { nope: true })
    // @ts-expect-error JSON has no schema of its own
    filterSchema(people, { extra: true })
    // @ts-expect-error a number has no prefix
    filterSchema(people, { id: ['prefix'] })
  })

  test('and, or only where they are allowed', () => {
    const combined = filterSchema(people, { id: true }, { combine: true })
    expectTypeOf<v.InferOutput<typeof combined>>().toExtend<Filters<typeof people>>()
    expectTypeOf<keyof v.InferOutput<typeof combined>>().toEqualTypeOf<'id' | 'and' | 'or'>()
  })
})

test('an input of all of them goes into a repository as it is', () => {
  const input = v.strictObject({
    ...pageInput(),
    filters: v.optional(schema, {}),
    sort: v.optional(sortSchema(people, ['name', 'born']), '-born'),
  })
  const run = ({ page, per_page, cursor, filters, sort }: v.InferOutput<typeof input>) =>
    new BaseRepository(db, people).getPage({ page, perPage: per_page, cursor, filters, orderBy: sort })
  expectTypeOf(run).returns.resolves.toHaveProperty('meta')
  expectTypeOf<v.InferInput<typeof input>['sort']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<v.InferOutput<typeof input>['sort']>().toExtend<OrderBy<typeof people>>()
  expectTypeOf(filtersFromQuery(schema)).toBeFunction()
  // @ts-expect-error no such column
  sortSchema(people, ['nope'])
  // @ts-expect-error JSON has no order
  sortSchema(people, ['extra'])
})
