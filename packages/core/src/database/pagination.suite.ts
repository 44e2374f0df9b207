import { getTableColumns, sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  date,
  doublePrecision,
  integer,
  numeric,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ValidationError } from '../errors/app-error.ts'
import type { DatabaseApi } from './database.ts'
import type { OrderBy, SortDirection } from './order.ts'
import type { PageRequest } from './page.ts'
import { BaseRepository } from './repository.ts'

const mood = pgEnum('paging_mood', ['sad', 'ok', 'happy'])
const steps = pgTable(
  'steps',
  {
    path: text().notNull(),
    no: integer().notNull(),
    word: text().notNull(),
    maybe: text(),
    count: integer(),
    big: bigint({ mode: 'bigint' }),
    wide: bigint({ mode: 'number' }),
    price: numeric(),
    ratio: doublePrecision(),
    flag: boolean(),
    at: timestamp({ withTimezone: true }),
    local: timestamp({ mode: 'string' }).notNull(),
    day: date({ mode: 'date' }),
    ref: uuid(),
    mood: mood(),
  },
  (table) => [primaryKey({ columns: [table.path, table.no] })],
)
type Steps = typeof steps

const ddl = [
  `create type paging_mood as enum ('sad', 'ok', 'happy')`,
  `create table steps (path text, no integer, word text not null, maybe text, count integer, big bigint, wide bigint,
    price numeric, ratio double precision, flag boolean, at timestamptz, local timestamp not null, day date, ref uuid,
    mood paging_mood, primary key (path, no))`,
]

const pick = <T>(...values: T[]) => fc.constantFrom(...values)
/** Values close to each other, and far too few: ties and nulls are what pages trip over. */
const row = fc.record({
  path: pick('a', 'b', 'B', 'ä'),
  no: fc.integer({ min: 1, max: 12 }),
  word: pick('', 'x', 'X', 'xx', 'é', '"', '\\'),
  maybe: pick(null, '', 'x', 'null'),
  count: pick(null, -2, 0, 7, 2 ** 31 - 1),
  big: pick(null, '-9223372036854775808', '9007199254740992', '9007199254740993', '9223372036854775807'),
  wide: pick(null, '9007199254740992', '9007199254740993', '1'),
  price: pick(null, '0.10', '0.1000000000000000000001', '-5', 'NaN'),
  ratio: pick(null, 0.1, 0.30000000000000004, 0.3, -1e300, 5e-324),
  flag: pick(null, true, false),
  at: pick(
    null,
    '2024-02-29T12:00:00.000001Z',
    '2024-02-29T12:00:00.000002Z',
    '2024-02-29T12:00:00Z',
    '12024-02-29T12:00:00Z',
  ),
  local: pick('2024-02-29T12:00:00.123456', '2024-02-29T12:00:00.123457', '0044-03-15T12:00:00 BC', '-infinity'),
  day: pick(null, '2024-02-29', '1999-12-31', '0001-01-01'),
  ref: pick(null, '00000000-0000-4000-8000-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff'),
  mood: pick(null, 'sad', 'ok', 'happy'),
})
const direction = pick<SortDirection>(
  'asc',
  'desc',
  'asc nulls first',
  'asc nulls last',
  'desc nulls first',
  'desc nulls last',
)
const names = Object.keys(getTableColumns(steps))
const order: fc.Arbitrary<OrderBy<Steps>> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...names), direction), { selector: ([name]) => name, maxLength: 4 })
  .map((terms) => Object.fromEntries(terms))
/** All one way, so that the shape of the comparison is the short one now and then. */
const plainOrder: fc.Arbitrary<OrderBy<Steps>> = fc
  .tuple(fc.shuffledSubarray(['word', 'no', 'path', 'local']), pick<SortDirection>('asc', 'desc'))
  .map(([list, way]) => Object.fromEntries(list.map((name) => [name, way])))

const change = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('insert' as const), row }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      path: row.map(({ path }) => path),
      no: row.map(({ no }) => no),
    }),
  },
)

/** Pages by cursor, on any driver. */
export function describePagination(open: () => DatabaseApi): void {
  describe('pages by cursor', () => {
    const repository = () => new BaseRepository(open().db, steps, { key: ['path', 'no'] })
    const insert = (rows: readonly object[]) =>
      open().db.execute(
        sql`insert into steps select * from jsonb_populate_recordset(null::steps, ${JSON.stringify(rows)}::jsonb) on conflict do nothing`,
      )
    const idOf = ({ path, no }: { path: string; no: number }) => `${path}:${no}`

    beforeAll(async () => {
      for (const statement of ddl) await open().db.execute(sql.raw(statement))
    })
    beforeEach(() => open().db.execute(sql`truncate steps`))

    const paging = async (
      request: Omit<PageRequest<Steps>, 'cursor'>,
      between: () => Promise<void> = async () => {},
    ): Promise<string[]> => {
      const seen: string[] = []
      let cursor = ''
      for (let pages = 0; pages < 200; pages += 1) {
        const page = await repository().getPage({ ...request, cursor })
        seen.push(...page.items.map(idOf))
        expect(page.meta).toMatchObject({ page: 1, total: 0, pages: 0, has_more: page.meta.next_cursor !== null })
        if (page.meta.next_cursor === null) return seen
        expect(page.items).toHaveLength(request.perPage ?? 20)
        cursor = page.meta.next_cursor
        await between()
      }
      return expect.fail('the paging does not end')
    }

    test('rows that come and go meanwhile make it neither skip nor repeat one that was there all the time, in any order [defect 41]', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(row, { selector: idOf, minLength: 1, maxLength: 25 }),
          fc.oneof(order, plainOrder),
          fc.integer({ min: 1, max: 6 }),
          fc.array(change, { maxLength: 12 }),
          async (rows, orderBy, perPage, changes) => {
            await open().db.execute(sql`truncate steps`)
            await insert(rows)
            const throughout = new Set(rows.map(idOf))
            const left = [...changes]
            const seen = await paging({ perPage, orderBy }, async () => {
              for (const next of left.splice(0, 2)) {
                if (next.kind === 'insert') await insert([next.row])
                else {
                  throughout.delete(idOf(next))
                  await open().db.execute(sql`delete from steps where path = ${next.path} and no = ${next.no}`)
                }
              }
            })
            // A row that went and came back is a new one: nothing is said of it but that it was never there throughout.
            const old = seen.filter((id) => throughout.has(id))
            expect(old).toHaveLength(throughout.size)
            expect(new Set(old)).toEqual(throughout)
            // And all rows are in the order of one query.
            const whole = (await repository().getAll({}, { orderBy })).map(idOf).filter((id) => throughout.has(id))
            expect(old).toEqual(whole)
          },
        ),
        { numRuns: 60, endOnFailure: true },
      )
    }, 180_000)

    test('each type in each direction: the paging is the list', async () => {
      await insert(fc.sample(row, { numRuns: 40, seed: 7 }))
      for (const name of names) {
        for (const way of ['asc', 'desc', 'asc nulls first', 'desc nulls last'] as const) {
          const orderBy: OrderBy<Steps> = { [name]: way }
          const list = (await repository().getAll({}, { orderBy })).map(idOf)
          expect([name, way, await paging({ perPage: 3, orderBy })]).toEqual([name, way, list])
        }
      }
    }, 180_000)

    test('the settings of a session for dates and zones change nothing', async () => {
      await insert(fc.sample(row, { numRuns: 30, seed: 3 }))
      const orderBy: OrderBy<Steps> = { at: 'asc', day: 'desc', local: 'asc' }
      const list = (await repository().getAll({}, { orderBy })).map(idOf)
      await open().transaction(async (tx) => {
        const inside = new BaseRepository(tx, steps, { key: ['path', 'no'] })
        const seen: string[] = []
        for (let cursor: string | null = ''; cursor !== null; ) {
          await tx.execute(sql`set local datestyle to 'ISO, DMY'`)
          await tx.execute(sql.raw(`set local timezone to '${seen.length % 2 === 0 ? 'Asia/Kathmandu' : 'UTC'}'`))
          const page = await inside.getPage({ cursor, perPage: 5, orderBy })
          seen.push(...page.items.map(idOf))
          cursor = page.meta.next_cursor
        }
        expect(seen).toEqual(list)
      })
    })

    describe('what a cursor is good for', () => {
      const request = { perPage: 2, orderBy: { word: 'asc' }, filters: { no: { gt: 0 } } } as const
      const start = async () => {
        await insert(fc.sample(row, { numRuns: 30, seed: 1 }))
        const { meta } = await repository().getPage({ ...request, cursor: '' })
        return meta.next_cursor ?? expect.fail('there is a second page')
      }
      const refusal = { code: 'validation_error', details: [{ path: 'cursor', message: expect.any(String) }] }

      test('another filter, order, condition or table is refused; another size is not', async () => {
        const cursor = await start()
        const others: PageRequest<Steps>[] = [
          { ...request, filters: { no: { gt: 1 } } },
          { ...request, filters: {} },
          { ...request, filters: { no: { gte: 0 } } },
          { ...request, orderBy: { word: 'desc' } },
          { ...request, orderBy: { maybe: 'asc' } },
          { ...request, orderBy: { word: 'asc', no: 'desc' } },
          { ...request, where: sql`true` },
        ]
        for (const other of others) {
          await expect(repository().getPage({ ...other, cursor })).rejects.toMatchObject(refusal)
        }
        const twin = pgTable(
          'steps_twin',
          { path: text().notNull(), no: integer().notNull(), word: text().notNull() },
          (t) => [primaryKey({ columns: [t.path, t.no] })],
        )
        const elsewhere = new BaseRepository(open().db, twin, { key: ['path', 'no'] })
        await expect(elsewhere.getPage({ ...request, cursor })).rejects.toMatchObject(refusal)
        expect((await repository().getPage({ ...request, cursor, perPage: 5 })).items.length).toBeGreaterThan(2)
        // The same filters in another order are the same question.
        const both = { ...request, filters: { no: { gt: 0 }, word: { ne: 'q' } } }
        const first = await repository().getPage({ ...both, cursor: '' })
        const turned = { ...both, filters: { word: { ne: 'q' }, no: { gt: 0 } }, cursor: first.meta.next_cursor ?? '' }
        expect((await repository().getPage(turned)).items).toHaveLength(2)
      })

      test('every single change of a character is refused', async () => {
        const cursor = await start()
        for (let at = 0; at < cursor.length; at += 1) {
          const forged = `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`
          await expect(repository().getPage({ ...request, cursor: forged })).rejects.toMatchObject(refusal)
        }
      })

      test('what is not a cursor is refused', async () => {
        const cursor = await start()
        const strings = [
          'x',
          'MjA=',
          ' ',
          `${cursor}=`,
          `${cursor}A`,
          cursor.slice(1),
          cursor.slice(0, -1),
          'A'.repeat(100_000),
          '\0',
          '💥',
        ]
        for (const text of strings) {
          await expect(repository().getPage({ ...request, cursor: text })).rejects.toThrow(ValidationError)
        }
        await fc.assert(
          fc.asyncProperty(fc.oneof(fc.string({ minLength: 1 }), fc.base64String({ minLength: 1 })), async (text) => {
            await expect(repository().getPage({ ...request, cursor: text })).rejects.toMatchObject(refusal)
          }),
        )
      })

      test('a value too long to be carried around ends the paging with words', async () => {
        await insert([{ path: 'a', no: 1, word: 'x'.repeat(9000), local: '2024-01-01' }])
        await insert([{ path: 'a', no: 2, word: 'y', local: '2024-01-01' }])
        const long = repository().getPage({ cursor: '', perPage: 1, orderBy: { word: 'asc' } })
        await expect(long).rejects.toMatchObject(refusal)
      })
    })

    test('the total is counted when it is requested, and not otherwise', async () => {
      await insert(fc.sample(row, { numRuns: 30, seed: 2 }))
      const total = await repository().count()
      const paged = await repository().getPage({ cursor: '', perPage: 4, total: true })
      expect(paged.meta).toMatchObject({ page: 1, total, pages: Math.ceil(total / 4), has_more: true })
      const numbered = await repository().getPage({ page: 1, perPage: 4, total: false })
      expect(numbered.meta).toEqual({ page: 1, per_page: 4, total: 0, pages: 0, next_cursor: null, has_more: true })
      const last = await repository().getPage({ page: Math.ceil(total / 4), perPage: 4, total: false })
      expect(last.meta.has_more).toBe(false)
    })
  })
}
