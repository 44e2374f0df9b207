// Filters, orders, pages and relations of routes, over both wires, on PGlite and on PostgreSQL.
import { randomUUID } from 'node:crypto'
import { page, pageOf, route } from '@twinwire/core'
import { BaseRepository, type Database, database, hasMany, transaction, withDb } from '@twinwire/core/database'
import { filterSchema, filtersFromQuery, pageInput, sortSchema } from '@twinwire/core/database/valibot'
import { createTestApp } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import { bigint, boolean, integer, pgTable, serial, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import fc from 'fast-check'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

const writers = pgTable('writers', {
  id: serial().primaryKey(),
  name: text().notNull().unique(),
  country: text(),
  born: timestamp({ withTimezone: true }),
  ref: uuid(),
  big: bigint({ mode: 'bigint' }),
  active: boolean(),
  version: integer().notNull().default(1),
})
const works = pgTable('works', {
  id: serial().primaryKey(),
  writerId: integer('writer_id').notNull(),
  title: text().notNull(),
})
const relations = { works: hasMany(works, { from: writers.id, to: works.writerId, orderBy: { title: 'asc' } }) }

class WriterRepository extends BaseRepository<typeof writers> {
  constructor(db: Database) {
    super(db, writers, { version: 'version' })
  }
}

const WriterFilters = filterSchema(
  writers,
  { id: true, name: true, country: true, born: true, ref: true, big: true, active: true },
  { combine: true },
)
const WorkSchema = v.object({ id: v.number(), title: v.string() })
const WriterSchema = v.object({
  id: v.number(),
  name: v.string(),
  country: v.nullable(v.string()),
  born: v.nullable(v.date()),
  works: v.optional(v.array(WorkSchema)),
})
const ListInput = v.strictObject({
  ...pageInput(),
  filters: v.optional(WriterFilters, {}),
  sort: v.optional(sortSchema(writers, ['id', 'name', 'country', 'born', 'big'])),
  total: v.optional(v.boolean()),
  load: v.optional(v.array(v.picklist(['works'])), []),
})
const WriteInput = v.strictObject({ name: v.pipe(v.string(), v.minLength(1)) })

const routes = {
  LIST: route({
    http: { route: 'GET /writers', input: filtersFromQuery(WriterFilters) },
    use: [withDb()],
    input: ListInput,
    output: pageOf(WriterSchema),
    handler: async ({ page: number, per_page, cursor, filters, sort, total, load }, { db }) => {
      const repository = new WriterRepository(db)
      const found = await repository.getPage({ page: number, perPage: per_page, cursor, filters, orderBy: sort, total })
      return page(await repository.load(found.items, relations, load), found.meta)
    },
  }),
  WRITE: route({
    http: { route: 'POST /writers', status: 201 },
    use: [transaction()],
    input: WriteInput,
    output: v.object({ id: v.number(), name: v.string() }),
    handler: (input, { db }) => new WriterRepository(db).create(input),
  }),
}

const seeds = Array.from({ length: 45 }, (_, i) => ({
  name: `Writer ${String(i).padStart(2, '0')}`,
  country: i % 3 === 0 ? null : i % 2 === 0 ? 'FR' : 'US',
  born: i % 4 === 0 ? null : new Date(Date.UTC(1900 + i, 0, 1)),
  big: BigInt(i) * 2n ** 40n,
  active: i % 5 === 0,
}))

const foreign = database({
  url: 'pglite://memory',
  onStart: async (db) => {
    await createTables(db)
    await new WriterRepository(db).createMany(seeds)
  },
})

async function createTables(db: Database): Promise<void> {
  await db.execute(sql`create table writers (id serial primary key, name text not null unique, country text, born timestamptz,
    ref uuid, big bigint, active boolean, version integer not null default 1)`)
  await db.execute(sql`create table works (id serial primary key, writer_id integer not null, title text not null)`)
}

const options = (url: string) => ({
  pkgIds: { LIST: 1, WRITE: 2 } as const,
  routes,
  defaultAccess: 'public' as const,
  plugins: [
    database({
      url,
      pages: { defaultSize: 7, maxSize: 30, cursorSecret: 'a secret of more than sixteen' },
      onStart: async (db) => {
        await createTables(db)
        await new WriterRepository(db).createMany(seeds)
        const shelf = new BaseRepository(db, works)
        await shelf.createMany([2, 1, 2].map((writerId, i) => ({ writerId, title: `Work ${i}` })))
      },
    }),
  ],
})

const boot = (url: string) => createTestApp(options(url), { transport: 'uws' })
const postgresThere = await hasPostgres()

describe.each([
  ['PGlite', async () => ({ url: 'pglite://memory', stop: async () => {} }), true],
  ['PostgreSQL', () => startPostgres(), postgresThere],
] as const)('on %s', (_, start, available) => {
  describe.skipIf(!available)('pages of a route', () => {
    let subject: Awaited<ReturnType<typeof boot>>
    let stop: () => Promise<void>
    beforeAll(async () => {
      const server = await start()
      stop = server.stop
      subject = await boot(server.url)
    })
    afterAll(async () => {
      await subject.close()
      await stop()
    })
    interface Answer {
      readonly status: number
      readonly body: unknown
      readonly text: string
    }
    const http = async (query: string): Promise<Answer> => {
      const { status, text } = await subject.request(`GET /writers${query}`)
      return { status, text, body: JSON.parse(text) }
    }
    /** The answer of the same shape over the other wire. */
    const webSocket = async (data: unknown): Promise<Answer> => {
      socket ??= await subject.client()
      socket.send({ pkg_id: 1, req_id: randomUUID(), method: '', data: Object(data) })
      const reply = await socket.nextStray(20_000)
      const body = reply.status_code === 0 ? { items: reply.data, meta: reply.meta } : { error: reply.data }
      return { status: Number(reply.status_code), body, text: JSON.stringify(reply) }
    }
    let socket: Awaited<ReturnType<typeof subject.client>> | undefined

    test.each<[query: string, data: object, meta: object, names: string[]]>([
      [
        '?per_page=2',
        { per_page: 2 },
        { page: 1, per_page: 2, total: 45, pages: 23, next_cursor: null, has_more: true },
        ['00', '01'],
      ],
      // The cap of the app is 30.
      [
        '?per_page=5000&page=2',
        { per_page: 5000, page: 2 },
        { page: 2, per_page: 30, total: 45, pages: 2, has_more: false },
        Array.from({ length: 15 }, (_, i) => String(i + 30)),
      ],
      ['', {}, { per_page: 7, total: 45 }, ['00', '01', '02', '03', '04', '05', '06']],
      [
        '?page=3&country=FR&per_page=5&sort=-name',
        { page: 3, per_page: 5, filters: { country: 'FR' }, sort: '-name' },
        { pages: 3, has_more: false },
        ['14', '10', '08', '04', '02'],
      ],
      [
        '?name.contains=r+4&sort=-id',
        { filters: { name: { contains: 'r 4' } }, sort: '-id' },
        { total: 5 },
        ['44', '43', '42', '41', '40'],
      ],
      [
        '?country.isNull=true&id.in=1&id.in=2&id.in=4',
        { filters: { country: null, id: { in: [1, 2, 4] } } },
        { total: 2 },
        ['00', '03'],
      ],
      [
        '?born.gte=1943-01-01T00:00:00Z&total=false',
        { filters: { born: { gte: '1943-01-01T00:00:00Z' } }, total: false },
        { total: 0, pages: 0, has_more: false },
        ['43'],
      ],
      ['?big=1099511627776&active=false', { filters: { big: '1099511627776', active: false } }, { total: 1 }, ['01']],
    ])('both wires give the same page: %s', async (query, data, meta, names) => {
      const answer = await http(query)
      expect(answer).toMatchObject({
        status: 200,
        body: { items: names.map((name) => ({ name: `Writer ${name}` })), meta },
      })
      expect((await webSocket(data)).body).toEqual(answer.body)
    })

    test.each(['sort=country', 'sort=-born,name', 'sort=big', 'country.ne=US&sort=-country'])(
      'pages by cursor, alternating between the wires, have every row once: %s',
      async (query) => {
        const { filters = {}, sort } = query.includes('country.ne')
          ? { filters: { country: { ne: 'US' } }, sort: '-country' }
          : { sort: query.slice(5) }
        const whole = await http(`?per_page=30&${query}`)
        const rest = await http(`?per_page=30&page=2&${query}`)
        const expected = [whole, rest].flatMap(({ body }) => (body as { items: unknown[] }).items)
        const seen: unknown[] = []
        for (let cursor: string | null = '', turn = 0; cursor !== null; turn += 1) {
          const { body } =
            turn % 2 === 0
              ? await http(`?per_page=4&cursor=${cursor}&${query}`)
              : await webSocket({ per_page: 4, cursor, filters, sort })
          const { items, meta } = body as { items: unknown[]; meta: { next_cursor: string | null; has_more: boolean } }
          expect(meta).toMatchObject({ page: 1, total: 0, pages: 0, has_more: meta.next_cursor !== null })
          seen.push(...items)
          cursor = meta.next_cursor
        }
        expect(seen).toEqual(expected)
      },
    )

    test('relations come with the rows, those that the schema names', async () => {
      const titles = (body: unknown) =>
        (body as { items: { works?: { title: string }[] }[] }).items.map(({ works: list }) =>
          list?.map(({ title }) => title),
        )
      const { body } = await http('?per_page=3&load=works')
      expect(titles(body)).toEqual([['Work 1'], ['Work 0', 'Work 2'], []])
      expect((await webSocket({ per_page: 3, load: ['works'] })).body).toEqual(body)
      expect(titles((await http('?per_page=1')).body)).toEqual([undefined])
      expect((await http('?load=secrets')).status).toBe(422)
    })

    test.each<[query: string, data: object, path: string]>([
      ['?page=0', { page: 0 }, 'page'],
      ['?page=9007199254740991&per_page=30', { page: 9007199254740991, per_page: 30 }, 'page'],
      ['?per_page=0', { per_page: 0 }, 'per_page'],
      ['?cursor=MjA=', { cursor: 'MjA=' }, 'cursor'],
      ['?sort=ref', { sort: 'ref' }, 'sort'],
      ['?version=1', { version: 1 }, 'version'],
      ['?id=2147483648', { filters: { id: 2147483648 } }, 'filters.id'],
      ['?born.gt=31.12.1999', { filters: { born: { gt: '31.12.1999' } } }, 'filters.born'],
      ['?ref=x', { filters: { ref: 'x' } }, 'filters.ref'],
      ['?name.like=x', { 'name.like': 'x' }, 'name.like'],
    ])('both wires refuse alike: %s', async (query, data, path) => {
      const answer = await http(query)
      const error = { code: 'validation_error', details: [{ path, message: expect.any(String) }] }
      expect(answer).toMatchObject({ status: 422, body: { error } })
      expect((await webSocket(data)).body).toEqual(answer.body)
    })

    test('a cursor made without the secret, or with another one, is refused', async () => {
      // What the app signs is known; the key is not.
      const { body } = await http('?cursor=&per_page=3')
      const { next_cursor: mine } = (body as { meta: { next_cursor: string } }).meta
      const unsigned = await createTestApp({ ...options('pglite://memory'), plugins: [foreign] })
      const { meta } = (await unsigned.request('GET /writers?cursor=&per_page=3')).json() as {
        meta: { next_cursor: string }
      }
      expect(meta.next_cursor).not.toBe(mine)
      expect((await http(`?cursor=${mine}&per_page=3`)).status).toBe(200)
      expect((await http(`?cursor=${meta.next_cursor}&per_page=3`)).status).toBe(422)
      await unsigned.close()
    }, 120_000)

    describe('whatever a client sends', () => {
      const names = ['page', 'per_page', 'cursor', 'sort', 'total', 'load', 'nope']
      const columns = ['id', 'name', 'country', 'born', 'ref', 'big', 'active', 'version', 'and', 'or']
      const operators = [
        '',
        '.eq',
        '.ne',
        '.in',
        '.isNull',
        '.gt',
        '.gte',
        '.lt',
        '.lte',
        '.prefix',
        '.contains',
        '.nope',
      ]
      const odd = fc.constantFrom(
        '',
        '0',
        '-1',
        '1',
        '2',
        '9223372036854775808',
        '1e400',
        'NaN',
        'null',
        'true',
        "'; drop table writers; --",
        '%',
        '_',
        '\\',
        '\0',
        '9999-12-31T23:59:59Z',
        '0000-01-01T00:00:00Z',
        '+275760-09-13T00:00:00Z',
        '2024-02-30T00:00:00Z',
        'id',
        '-id,id',
        'works',
        'AQAAAAAAAAAAAAAAAAAAAAAAW10',
      )
      const strings = fc.oneof(
        odd,
        fc.string(),
        fc.string({ unit: 'binary' }),
        fc.integer().map(String),
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      )
      const check = ({ status, body, text }: Answer, ok: number, refused: number): void => {
        expect(text).not.toMatch(/select |insert |syntax error|operator does not|invalid input syntax|from "/i)
        if (status === ok) return
        expect([status, body]).toEqual([refused, { error: expect.objectContaining({ code: 'validation_error' }) }])
      }

      test('a query of any keys and values: success or validation_error, never SQL', async () => {
        const key = fc.oneof(
          fc.constantFrom(...names),
          fc.tuple(fc.constantFrom(...columns), fc.constantFrom(...operators)).map((parts) => parts.join('')),
        )
        const pairs = fc.array(fc.tuple(key, strings), { minLength: 1, maxLength: 4 })
        await fc.assert(
          fc.asyncProperty(pairs, async (list) => {
            check(
              await http(`?${list.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`),
              200,
              422,
            )
          }),
          { numRuns: 300 },
        )
      }, 120_000)

      test('a package of any data: the same', async () => {
        const value = fc.oneof(strings, fc.jsonValue({ maxDepth: 1 }), fc.integer(), fc.double({ noNaN: true }))
        const { filters } = fc.letrec<{ filters: object }>((tie) => ({
          filters: fc.dictionary(
            fc.constantFrom(...columns),
            fc.oneof(
              { maxDepth: 3 },
              value,
              fc.dictionary(
                fc.constantFrom(...operators.map((name) => name.slice(1))),
                fc.oneof(value, fc.array(value, { maxLength: 3 })),
                { maxKeys: 3 },
              ),
              fc.array(tie('filters'), { maxLength: 3 }),
            ),
            { maxKeys: 3 },
          ),
        }))
        const data = fc.record(
          {
            page: value,
            per_page: value,
            cursor: value,
            sort: value,
            total: value,
            load: fc.array(value, { maxLength: 2 }),
            filters,
          },
          { requiredKeys: [] },
        )
        await fc.assert(
          fc.asyncProperty(data, async (each) => check(await webSocket(each), 0, 2)),
          { numRuns: 300 },
        )
      }, 120_000)

      test('any cursor', async () => {
        const cursors = fc.oneof(
          fc.base64String(),
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from([1, ...bytes]).toString('base64url')),
        )
        await fc.assert(
          fc.asyncProperty(cursors, async (cursor) => {
            check(await http(`?per_page=1&cursor=${encodeURIComponent(cursor)}`), 200, 422)
            check(await webSocket({ per_page: 1, cursor }), 0, 2)
          }),
          { numRuns: 100 },
        )
      }, 120_000)
    })

    test('50 creates of one name at once, over both wires: one row, 49 conflicts', async () => {
      const client = await subject.client()
      const creates = Array.from({ length: 50 }, async (_, i) => {
        if (i % 2 === 0) return (await subject.request('POST /writers', { json: { name: 'The one' } })).status
        return client.call('WRITE', { name: 'The one' }).then(
          () => 201,
          (error: { code: string }) => (error.code === 'conflict' ? 409 : error.code),
        )
      })
      const ends = await Promise.all(creates)
      expect(ends.filter((end) => end === 201)).toHaveLength(1)
      expect(ends.filter((end) => end === 409)).toHaveLength(49)
      expect((await http('?name=The+one')).body).toMatchObject({ meta: { total: 1 } })
    })
  })
})
