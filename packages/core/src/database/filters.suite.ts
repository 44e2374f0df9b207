import { sql } from 'drizzle-orm'
import {
  boolean,
  integer,
  json,
  jsonb,
  pgTable,
  point,
  serial,
  text,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { DatabaseApi } from './database.ts'
import type { Filters } from './filters.ts'
import { refused } from './refused.fixtures.ts'
import { BaseRepository } from './repository.ts'

const people = pgTable('people', {
  id: serial().primaryKey(),
  name: varchar({ length: 60 }).notNull(),
  country: text(),
  born: timestamp({ withTimezone: true }),
  ref: uuid(),
  active: boolean(),
  tags: text().array(),
  extra: jsonb().$type<{ readonly a: number }>(),
  loose: json(),
  place: point(),
  kind: text({ enum: ['poet', 'critic'] }),
  rank: integer(),
})
type People = typeof people

const ref = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'
const ddl = `create table people (id serial primary key, name varchar(60) not null, country text, born timestamptz, ref uuid,
  active boolean, tags text[], extra jsonb, loose json, place point, kind text, rank integer)`
const rows = [
  {
    name: 'Ursula',
    country: 'US',
    born: new Date('1929-10-21'),
    active: true,
    rank: 1,
    kind: 'poet' as const,
    extra: { a: 1 },
  },
  { name: 'ursula', country: 'FR', born: new Date('2001-01-01'), active: false, rank: 2, ref, tags: ['x', 'y'] },
  { name: '100% cotton', country: null, rank: 3, kind: 'critic' as const },
  { name: '100 cotton', country: 'US', rank: null },
  { name: 'snake_case', country: 'DE', rank: -5 },
  { name: 'snakeXcase', country: 'DE', rank: 0 },
  { name: 'back\\slash', country: 'DE', rank: 4 },
]

/** The language of filters, on any driver. */
export function describeFilters(open: () => DatabaseApi): void {
  describe('filters', () => {
    const repository = () => new BaseRepository(open().db, people)
    beforeAll(async () => {
      await open().db.execute(sql.raw(ddl))
      await repository().createMany(rows)
    })
    const found = async (filters: Filters<People>) => (await repository().getAll(filters)).map(({ id }) => id)

    test.each<[what: string, filters: Filters<People>, ids: number[]]>([
      ['nothing', {}, [1, 2, 3, 4, 5, 6, 7]],
      ['equality', { name: 'Ursula' }, [1]],
      ['eq is the same', { name: { eq: 'Ursula' } }, [1]],
      ['null', { country: null }, [3]],
      ['eq null', { country: { eq: null } }, [3]],
      ['isNull', { rank: { isNull: true } }, [4]],
      ['isNull: false', { rank: { isNull: false } }, [1, 2, 3, 5, 6, 7]],
      ['ne takes rows without a value too', { country: { ne: 'DE' } }, [1, 2, 3, 4]],
      ['ne null', { country: { ne: null } }, [1, 2, 4, 5, 6, 7]],
      ['in', { id: { in: [7, 1, 7, 99] } }, [1, 7]],
      ['in nothing', { id: { in: [] } }, []],
      ['a range', { rank: { gte: 0, lt: 3 } }, [1, 2, 6]],
      ['a range of dates', { born: { gt: new Date('1929-10-21'), lte: new Date('2001-01-01') } }, [2]],
      ['a range of strings', { country: { gte: 'FR' } }, [1, 2, 4]],
      ['a uuid in upper case', { ref: ref.toUpperCase() }, [2]],
      ['a boolean', { active: false }, [2]],
      ['an array', { tags: ['x', 'y'] }, [2]],
      ['a jsonb', { extra: { a: 1 } }, [1]],
      ['one of a list of strings', { kind: { in: ['critic'] } }, [3]],
      ['a prefix, in any case', { name: { prefix: 'UR' } }, [1, 2]],
      ['a prefix that is a pattern', { name: { prefix: '100%' } }, [3]],
      ['a part', { name: { contains: 'CASE' } }, [5, 6]],
      ['a part that is a pattern', { name: { contains: 'e_c' } }, [5]],
      ['a part with a backslash', { name: { contains: 'k\\s' } }, [7]],
      ['a part that is an escape', { name: { contains: '\\%' } }, []],
      ['an empty part', { country: { contains: '' } }, [1, 2, 4, 5, 6, 7]],
      ['several operators, all of which hold', { name: { prefix: 'snake', contains: '_' } }, [5]],
      ['operators that are undefined', { rank: { gte: undefined, lt: 0 } }, [5]],
      ['or', { or: [{ name: 'Ursula' }, { country: null }] }, [1, 3]],
      ['or beside another condition', { country: 'DE', or: [{ rank: { lt: 0 } }, { rank: 4 }] }, [5, 7]],
      ['no alternative', { or: [] }, []],
      ['and', { and: [{ rank: { gt: 0 } }, { rank: { lt: 3 } }, {}] }, [1, 2]],
      ['and within or', { or: [{ and: [{ country: 'US' }, { rank: null }] }, { id: 3 }] }, [3, 4]],
    ])('%s', async (_, filters, ids) => {
      expect(await found(filters)).toEqual(ids)
      expect(await repository().count(filters)).toBe(ids.length)
    })

    const manyIds = (length: number) => ({ id: { in: Array.from({ length }, (_, id) => id) } })
    const nested = (depth: number): object => (depth === 0 ? { id: 1 } : { and: [nested(depth - 1)] })
    test.each<[what: string, filters: object, path: string]>([
      ['no column', { nope: 1 }, 'nope'],
      ['no column, without a value', { nope: undefined }, 'nope'],
      ['no column, deep down', { and: [{ or: [{ nope: 1 }] }] }, 'and[0].or[0].nope'],
      ['an own name of all objects', JSON.parse('{"__proto__": 1}'), '__proto__'],
      ['constructor', { constructor: 1 }, 'constructor'],
      ['no operator', { id: { like: 1 } }, 'id.like'],
      ['an operator of all objects', { id: { toString: 1 } }, 'id.toString'],
      ['SQL as an operator', { id: { '= 1; drop table people; --': 1 } }, 'id.= 1; drop table people; --'],
      ['a string for a number', { id: '1' }, 'id'],
      ['a number past integer', { rank: { gt: 2 ** 31 } }, 'rank.gt'],
      ['NaN', { rank: { lt: Number.NaN } }, 'rank.lt'],
      ['half a number', { id: { in: [1, 1.5] } }, 'id.in[1]'],
      ['null in a list', { id: { in: [null] } }, 'id.in[0]'],
      ['no list', { id: { in: 1 } }, 'id.in'],
      ['a list of 1001', { id: { in: Array.from({ length: 1001 }, (_, i) => i) } }, 'id.in'],
      ['an array for a scalar', { id: [1] }, 'id'],
      ['null in a range', { rank: { gt: null } }, 'rank.gt'],
      ['a date that is none', { born: new Date(Number.NaN) }, 'born'],
      ['a string for a date', { born: '2020-01-01' }, 'born'],
      ['no uuid', { ref: { eq: 'x' } }, 'ref.eq'],
      ['a NUL', { name: 'a\0' }, 'name'],
      ['a NUL in a pattern', { name: { contains: '\0' } }, 'name.contains'],
      ['a pattern too long', { name: { prefix: 'x'.repeat(257) } }, 'name.prefix'],
      ['a pattern for a number', { id: { contains: '1' } }, 'id.contains'],
      ['a pattern for a uuid', { ref: { prefix: 'a' } }, 'ref.prefix'],
      ['a string that is not in the list', { kind: 'novelist' }, 'kind'],
      ['isNull of no boolean', { rank: { isNull: 1 } }, 'rank.isNull'],
      ['json, which has no equality', { loose: { a: 1 } }, 'loose'],
      ['a point, too', { place: [1, 2] }, 'place'],
      ['no array for an array', { tags: 'x' }, 'tags'],
      ['and of no list', { and: { id: 1 } }, 'and'],
      ['or of null', { or: null }, 'or'],
      ['an alternative that is every row', { or: [{ id: 1 }, {}] }, 'or[1]'],
      ['an alternative whose value was forgotten', { or: [{ name: undefined }] }, 'or[0]'],
      ['a condition that is none', { and: ['x'] }, 'and[0]'],
      ['6 deep', nested(6), 'and[0].and[0].and[0].and[0].and[0].and[0]'],
      ['101 conditions', { or: Array.from({ length: 101 }, (_, id) => ({ id })) }, 'or'],
      [
        '10,001 values in lists',
        { or: [...Array.from({ length: 10 }, () => manyIds(1000)), manyIds(1)] },
        'or[10].id.in',
      ],
      ['101 conditions that are nothing', { and: Array.from({ length: 101 }, () => ({})) }, 'and'],
    ])('%s is refused, and told where', async (_, filters, path) => {
      const works: (() => Promise<unknown>)[] = [
        () => repository().getAll(filters),
        () => repository().count(filters),
        () => repository().getPage({ cursor: '', filters }),
      ]
      for (const work of works) {
        // Some of them are thrown before there is a promise.
        const error = await refused(Promise.resolve().then(work))
        expect(error).toMatchObject({ code: 'validation_error', details: [{ path }] })
      }
    })

    test('null can be asked of every column, and the five levels that are allowed are', async () => {
      for (const name of ['loose', 'place', 'tags', 'extra']) await found({ [name]: null })
      expect(await found(nested(5))).toEqual([1])
    })

    test('what must not delete too much: no condition, or one without its value', async () => {
      const all: object[] = [
        {},
        { and: [] },
        { name: undefined },
        { id: 1, name: undefined },
        { id: { gt: undefined } },
      ]
      for (const filters of all) {
        expect(await refused(repository().deleteWhere(filters))).toMatchObject({ code: 'validation_error' })
      }
      expect(await repository().count()).toBe(rows.length)
      expect(await repository().deleteWhere({ or: [] })).toBe(0)
    })

    test('whatever a client may send: rows, or a validation_error; never SQL [defect 50]', async () => {
      const names = [
        'id',
        'name',
        'country',
        'born',
        'ref',
        'active',
        'tags',
        'extra',
        'loose',
        'place',
        'kind',
        'nope',
        'and',
        'or',
      ]
      const words = ['eq', 'ne', 'in', 'isNull', 'gt', 'gte', 'lt', 'lte', 'prefix', 'contains', 'nope', 'toString']
      const value = fc.oneof(
        fc.jsonValue({ maxDepth: 1 }),
        fc.integer(),
        fc.string({ unit: 'binary' }),
        fc.constant(ref),
        fc.date(),
      )
      const condition = fc.oneof(
        value,
        fc.dictionary(fc.constantFrom(...words), fc.oneof(value, fc.array(value, { maxLength: 3 }))),
      )
      const { filters } = fc.letrec<{ filters: object }>((tie) => ({
        filters: fc.dictionary(
          fc.constantFrom(...names),
          fc.oneof({ maxDepth: 3 }, condition, fc.array(tie('filters'), { maxLength: 3 })),
          { maxKeys: 4 },
        ),
      }))
      await fc.assert(
        fc.asyncProperty(filters, async (each) => {
          const work = Promise.resolve().then(() => repository().getPage({ filters: each, perPage: 2 }))
          if (
            await work.then(
              () => true,
              () => false,
            )
          )
            return
          const error = await refused(work)
          expect(error.code).toBe('validation_error')
          expect(`${error.message} ${JSON.stringify(error.details)}`).not.toMatch(/select|from "|operator does not/i)
        }),
        { numRuns: 400 },
      )
    }, 120_000)
  })
}
