// What the database holds is what is read, on both drivers.
import { eq, max, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import type { Database, DatabaseApi } from '../../packages/core/src/database/database.ts'
import { database } from '../../packages/core/src/database/database-plugin.ts'
import { hasMany } from '../../packages/core/src/database/relations.ts'
import { BaseRepository } from '../../packages/core/src/database/repository.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { cases, ddl, inexact, type Name, parts, things, valueTables } from '../support/value-tables.ts'

const available = await hasPostgres()

describe.skipIf(!available)('on PostgreSQL', () =>
  describeOn(async () => {
    const postgres = await startPostgres()
    return { url: postgres.url, stop: () => postgres.stop() }
  }),
)

describe('on PGlite', () => describeOn(async () => ({ url: 'pglite://memory', stop: async () => {} })))

function describeOn(start: () => Promise<{ url: string; stop: () => Promise<void> }>): void {
  const host = createFakeHost()
  let api: DatabaseApi
  let stop = async (): Promise<void> => {}
  beforeAll(async () => {
    const { url, stop: stopServer } = await start()
    stop = stopServer
    api = await database({ url, schema: valueTables }).setup(host)
  }, 60_000)
  afterAll(async () => {
    await host.close()
    await stop()
  })
  describeValues(() => api)
}

/** What the database holds is what is read, on any driver. */
function describeValues(open: () => DatabaseApi): void {
  describe('values', () => {
    const db = (): Database<typeof valueTables> => open().db as Database<typeof valueTables>
    const repository = () => new BaseRepository(db(), things)
    const hold = (name: Name, written: string) =>
      db().execute(sql`insert into things (id, ${sql.identifier(things[name].name)}) values (1, ${sql.raw(written)})`)
    const textOf = async (name: Name) => {
      const [row] = await db()
        .select({ it: sql<string | null>`${things[name]}::text` })
        .from(things)
      return row?.it
    }

    beforeAll(async () => {
      for (const statement of ddl) await db().execute(sql.raw(statement))
    })
    beforeEach(() => db().execute(sql`truncate things, parts`))

    test.each(cases)('%s of %s', async (name, written, value) => {
      await hold(name, written)
      const row = await repository().getById(1)
      expect(row[name]).toStrictEqual(value)
      const [selected] = await db()
        .select({ it: things[name], deep: { it: things[name] } })
        .from(things)
      expect(selected).toStrictEqual({ it: value, deep: { it: value } })
      const [first] = await db().query.things.findMany({ with: { parts: true } })
      expect(first).toStrictEqual({ ...row, parts: [] })
      const before = await textOf(name)
      expect(await repository().update(1, { [name]: value })).toStrictEqual(row)
      if (!inexact.test(written)) expect(await textOf(name)).toBe(before)
      await repository().delete(1)
      expect(await repository().create({ id: 1, [name]: value })).toStrictEqual(row)
    })

    test.each([
      [
        'at',
        'infinity',
        /^Column 'things.at' contains 'infinity', which a Date cannot represent: declare the column with mode: 'string'$/,
      ],
      ['atZone', '-infinity', /^Column 'things.at_zone' contains '-infinity'/],
      ['day', 'infinity', /^Column 'things.day' contains 'infinity'/],
      ['times', '{infinity}', /^Column 'things.times' contains 'infinity'/],
      [
        'at',
        '294276-12-31',
        /^Column 'things.at' contains a time outside the range of a Date: declare the column with mode: 'string'$/,
      ],
      [
        'whole',
        '1.5',
        /^Column 'things.whole' contains a number that is not an integer: declare the column without mode: 'bigint'$/,
      ],
    ] as const)('%s of %s is an error that says what to change', async (name, held, message) => {
      await hold(name, `'${held}'`)
      await expect(repository().getById(1)).rejects.toThrow(message)
      await expect(db().query.things.findMany()).rejects.toThrow(message)
    })

    test("for an expression and a custom query, only PostgreSQL's type is known", async () => {
      const expressions = {
        list: sql`array['a', null, 'b"']`,
        numbers: sql`array[array[1, 2]]`,
        json: sql`json_build_object('a', 1.5)`,
        bytes: sql`'\\x00ff'::bytea`,
        count: sql`count(*)`,
        time: sql`'2024-05-06 10:00:00'::timestamp`,
        flag: sql`true`,
        flags: sql`array[true, false]`,
        nothing: sql`null::int[]`,
      }
      const expected = {
        list: ['a', null, 'b"'],
        numbers: [[1, 2]],
        json: { a: 1.5 },
        bytes: Buffer.from([0, 255]),
        count: '0',
        time: '2024-05-06 10:00:00',
        flag: true,
        flags: [true, false],
        nothing: null,
      }
      const [selected] = await db().select(expressions).from(things)
      expect(selected).toStrictEqual(expected)
      const columns = Object.entries(expressions).map(([name, each]) => sql`${each} as ${sql.identifier(name)}`)
      const result: unknown = await db().execute(sql`select ${sql.join(columns, sql`, `)} from things`)
      const rows = Array.isArray(result) ? result : Reflect.get(Object(result), 'rows')
      expect([...rows]).toStrictEqual([expected])
    })

    test('`mapWith` of a column reads as the column does', async () => {
      await hold('at', `'0044-03-15'`)
      const [row] = await db()
        .select({ last: max(things.at), list: sql`array_agg(${things.at})`.mapWith(things.times) })
        .from(things)
      const ides = new Date('0044-03-15T00:00:00Z')
      expect(row).toStrictEqual({ last: ides, list: [ides] })
    })

    test('rows of a relation, which come as JSON', async () => {
      await repository().create({ id: 1 })
      const part = { id: 1, thingId: 1, note: '10.5', price: '1.50', sum: 2n ** 62n, at: new Date('0044-03-15') }
      const wide = { id: 2, thingId: 1, note: { a: 1e30 }, price: '9'.repeat(40), sum: null, at: null }
      await new BaseRepository(db(), parts).createMany([part, wide])
      const written = sql`update parts set "at_text" = '2024-05-06 10:00:00', bytes = '\\x00ff', words = '{"a\\\\",NULL}'`
      await db().execute(written)
      const more = { atText: '2024-05-06 10:00:00', bytes: Buffer.from([0, 255]), words: ['a\\', null] }
      const [found] = await db().query.things.findMany({ columns: { id: true }, with: { parts: true } })
      expect(found).toStrictEqual({
        id: 1,
        parts: [
          { ...part, ...more },
          { ...wide, ...more },
        ],
      })
      const one = await db().query.parts.findFirst({
        columns: { id: true },
        with: { thing: { columns: { at: true } } },
      })
      expect(one).toStrictEqual({ id: 1, thing: { at: null } })
      const [loaded] = await repository().load(
        await repository().getAll(),
        { parts: hasMany(parts, { from: things.id, to: parts.thingId }) },
        ['parts'],
      )
      expect(loaded?.parts).toStrictEqual([
        { ...part, ...more },
        { ...wide, ...more },
      ])
    })

    test('a join: an object is null only if there is no row for it', async () => {
      await repository().create({ id: 1 })
      await new BaseRepository(db(), parts).createMany([{ id: 1, thingId: 1, price: '1' }, { id: 2 }])
      const rows = await db()
        .select({ id: parts.id, thing: { note: things.note, id: things.id } })
        .from(parts)
        .leftJoin(things, eq(things.id, parts.thingId))
        .orderBy(parts.id)
      expect(rows).toStrictEqual([
        { id: 1, thing: { note: null, id: 1 } },
        { id: 2, thing: null },
      ])
    })

    test('values within a custom query are written as those of a column', async () => {
      const date = new Date('+012024-05-06T01:02:03.004Z')
      const [row] = await db()
        .select({
          date: sql`${date}::timestamptz`.mapWith(things.atZone),
          local: sql`${date}::timestamp`.mapWith(things.at),
          bytes: sql`${Buffer.from([0, 255])}::bytea`,
          list: sql`${sql.param(['a"', null, '\\'])}::text[]`,
          zero: sql`${-0}::float8`,
          flag: sql`${true}`,
        })
        .from(sql`(select 1) as one`)
      const list = ['a"', null, '\\']
      expect(row).toStrictEqual({ date, local: date, bytes: Buffer.from([0, 255]), list, zero: -0, flag: true })
    })

    test('what would be stored as another value is refused by the name of its column', async () => {
      const early = new Date(-8.64e15)
      for (const [values, path] of [
        [{ id: 1, at: early }, 'at'],
        [{ id: 1, day: new Date(Number.NaN) }, 'day'],
        [{ id: 1, times: [new Date(), early] }, 'times'],
        [{ id: 1, words: ['\ud800'] }, 'words'],
        [{ id: 1, grid: [['a'], ['\0']] }, 'grid'],
      ] as const) {
        const refused = { code: 'validation_error', details: [{ path }] }
        const change: object = { ...values, id: undefined }
        await expect(repository().create(values as typeof things.$inferInsert)).rejects.toMatchObject(refused)
        await expect(repository().createMany([values as typeof things.$inferInsert])).rejects.toMatchObject(refused)
        await expect(repository().upsert(values as typeof things.$inferInsert)).rejects.toMatchObject(refused)
        await expect(repository().update(1, change)).rejects.toMatchObject(refused)
      }
    })

    test('a date that was not written as in ISO 8601 is an error, and no guess', async () => {
      await hold('at', `'2024-05-06'`)
      for (const style of ['German', 'SQL, DMY', 'SQL, MDY', 'Postgres, DMY']) {
        const read = open().transaction(async (tx) => {
          await tx.execute(sql.raw(`set local datestyle to '${style}'`))
          return new BaseRepository(tx, things).getById(1)
        })
        await expect(read).rejects.toThrow(/^Column 'things.at' has a date that is not in ISO 8601/)
      }
    })

    test('undefined is rejected in a query, and so is a Buffer within an array that drizzle has converted to a string', async () => {
      const forgotten = Reflect.get({}, 'id')
      const query = db().select().from(things).where(eq(things.id, forgotten)).execute()
      await expect(query).rejects.toMatchObject({ cause: { message: /undefined/ } })
      const write = db()
        .insert(things)
        .values({ id: 1, blobs: [Buffer.from([0, 255])] })
        .execute()
      await expect(write).rejects.toMatchObject({ cause: { message: /cannot write a Buffer in an array/ } })
      expect(await repository().exists({ id: 1 })).toBe(false)
    })

    test('filters of arrays, bytes among them, find by equality', async () => {
      const row = { id: 1, words: ['a\\', 'NULL', ''], blobs: [Buffer.from([0, 255, 92])], ratios: [-0, 0.1] }
      const created = await repository().create(row)
      for (const name of ['words', 'blobs', 'ratios'] as const) {
        expect(await repository().findOne({ [name]: row[name] })).toStrictEqual(created)
      }
    })
  })
}
