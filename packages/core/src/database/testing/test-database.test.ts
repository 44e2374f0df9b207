import { sql } from 'drizzle-orm'
import { bigint, integer, pgSchema, pgTable, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BaseRepository, transaction, withDb } from '../../database.ts'
import { createTestDatabase, type TestDatabase } from '../../database-testing.ts'
import { event, route } from '../../index.ts'
import { createTestApp } from '../../testing.ts'
import { writeMigrations } from '../database.fixtures.ts'

const shelves = pgTable('shelves', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  parent: bigint({ mode: 'number' }),
  version: integer().notNull().default(1),
})
const odd = pgSchema("odd's").table('A "b"', { id: text().primaryKey(), double: integer(), n: integer().notNull() })

const migration = `
create table shelves (id bigint generated always as identity primary key, name text not null constraint shelves_name unique,
  parent bigint references shelves (id) deferrable initially deferred, version integer not null default 1);
--> statement-breakpoint
create schema "odd's";
--> statement-breakpoint
create table "odd's"."A ""b""" (id text primary key, n integer not null, double integer generated always as (n * 2) stored);
--> statement-breakpoint
create table log (line text);
--> statement-breakpoint
create function note() returns trigger language plpgsql as $$ begin insert into log values (tg_op); return null; end $$;
--> statement-breakpoint
create trigger noted after insert or update or delete on shelves for each row execute function note();
--> statement-breakpoint
create sequence tickets start 7
`

class ShelfRepository extends BaseRepository<typeof shelves> {
  constructor(db: TestDatabase['db']) {
    super(db, shelves, { version: 'version' })
  }
}

describe('a database for the tests of a file', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase({
      migrations: await writeMigrations([migration]),
      constraints: { shelves_name: ({ name }) => `There is a shelf '${name}' already` },
      async onStart(db) {
        await db.insert(shelves).values([{ name: 'top' }, { name: 'left', parent: 1 }])
        await db.insert(odd).values({ id: "it's", n: 2 })
      },
    })
  }, 120_000)
  beforeEach(() => database.reset())
  afterAll(() => database.close())

  const options = {
    pkgIds: { RENAME: 1, ADD: 2, LIST: 3 },
    routes: {
      RENAME: route({
        http: 'PUT /shelves/:id',
        use: [transaction()],
        input: v.object({ id: v.number(), name: v.string(), version: v.number() }),
        handler: ({ id, name, version }, { db }) => new ShelfRepository(db).update(id, { name }, { version }),
      }),
      ADD: route({
        http: 'POST /shelves',
        use: [transaction()],
        input: v.object({ name: v.string(), parent: v.optional(v.number()) }),
        handler: (input, { db }) => new ShelfRepository(db).create(input),
      }),
      LIST: route({ use: [withDb()], handler: (_input, { db }) => new ShelfRepository(db).getAll() }),
    },
  }
  const begin = [
    { id: 1, name: 'top', parent: null, version: 1 },
    { id: 2, name: 'left', parent: 1, version: 1 },
  ]
  const everything = async () => ({
    shelves: await new ShelfRepository(database.db).getAll(),
    odd: await database.db.select().from(odd),
    log: await database.db.select({ line: sql<string>`line` }).from(sql`log`),
    ticket: (await database.db.select({ n: sql<string>`nextval('tickets')` }).from(sql`(select 1) as one`))[0]?.n,
  })

  it.each(['first', 'second', 'third'])('is in each test as it was at the start: the %s', async () => {
    const { client, close } = await createTestApp({ ...options, plugins: [database.plugin] })
    const one = await client()
    expect(await one.call('LIST')).toEqual(begin)
    expect(await everything()).toEqual({
      shelves: begin,
      odd: [{ id: "it's", n: 2, double: 4 }],
      log: [{ line: 'INSERT' }, { line: 'INSERT' }],
      ticket: '7',
    })
    expect(await one.call('ADD', { name: 'right', parent: 1 })).toMatchObject({ id: 3 })
    expect(await one.http('RENAME', { id: 2, name: 'links', version: 1 })).toMatchObject({ version: 2 })
    await database.db.delete(odd)
    await database.db.execute(sql`insert into log values ('more')`)
    expect(await everything()).not.toMatchObject({ odd: [{}] })
    await close()
    // The app is closed, the database is not.
    expect(await new ShelfRepository(database.db).count()).toBe(3)
  })

  it('holds to versions, to constraints when they are due, and to the words for them', async () => {
    const { client, close } = await createTestApp({ ...options, plugins: [database.plugin] })
    const one = await client()
    await one.call('RENAME', { id: 1, name: 'oben', version: 1 })
    await expect(one.call('RENAME', { id: 1, name: 'unten', version: 1 })).rejects.toMatchObject({ code: 'conflict' })
    // Only the commit knows of it: a transaction around the test would have let it pass.
    await expect(one.call('ADD', { name: 'lost', parent: 99 })).rejects.toMatchObject({ httpStatus: 409 })
    await expect(one.http('ADD', { name: 'left' })).rejects.toMatchObject({
      msg: "There is a shelf 'left' already",
      httpStatus: 409,
    })
    expect(await new ShelfRepository(database.db).count()).toBe(2)
    await close()
  })

  it('rolls back what fails in a transaction of its own', async () => {
    const failing = database.transaction(async (tx) => {
      await tx.insert(shelves).values({ name: 'gone' })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await new ShelfRepository(database.db).getAll()).toEqual(begin)
  })
})

const outboxDdl = `create table twinwire_outbox (id bigint primary key generated always as identity, stream text not null,
  publication text not null, created_at timestamptz default clock_timestamp() not null)`

describe('a database with an outbox', () => {
  const shelved = event({ data: v.object({ name: v.string() }) })
  const options = {
    pkgIds: { SHELVE: 1, SHELVED: 2 },
    routes: {
      SHELVE: route({
        access: 'public',
        use: [transaction({ outbox: true })],
        input: v.object({ name: v.string() }),
        async handler({ name }, call) {
          await call.db.insert(shelves).values({ name })
          call.broadcast(shelved, { name })
          return name
        },
      }),
    },
    events: { SHELVED: shelved },
  }

  it('sends to the app under test, and to the next one after a reset', async () => {
    const database = await createTestDatabase({ migrations: await writeMigrations([migration, outboxDdl]), outbox: {} })
    for (const name of ['one', 'two']) {
      const { client, close } = await createTestApp({ ...options, plugins: [database.plugin] })
      const session = await client()
      await session.call('SHELVE', { name })
      expect(await session.nextEvent('SHELVED')).toEqual({ name })
      await close()
      await database.reset()
    }
    await database.close()
  }, 120_000)
})
