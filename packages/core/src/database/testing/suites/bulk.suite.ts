import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  char,
  integer,
  pgTable,
  primaryKey,
  serial,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { Database, DatabaseApi } from '../../database.ts'
import { BaseRepository } from '../../repository.ts'
import { refused, watch } from './suite-tools.ts'

const groups = pgTable('bulk_groups', { id: uuid().primaryKey().defaultRandom(), name: text().notNull() })
const members = pgTable(
  'bulk_members',
  {
    groupId: uuid('group_id').notNull(),
    userId: bigint('user_id', { mode: 'bigint' }).notNull(),
    role: text().notNull().default('reader'),
    note: text(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.groupId] })],
)
const counters = pgTable(
  'bulk_counters',
  {
    id: serial().primaryKey(),
    name: text().notNull(),
    value: integer().notNull().default(0),
    version: integer().notNull().default(1),
  },
  (table) => [uniqueIndex('bulk_counters_name').on(table.name)],
)
const codes = pgTable('bulk_codes', { code: char({ length: 4 }).primaryKey(), no: bigserial({ mode: 'number' }) })

const ddl = [
  'create table bulk_groups (id uuid primary key default gen_random_uuid(), name text not null)',
  `create table bulk_members (group_id uuid, user_id bigint, role text not null default 'reader', note text, primary key (user_id, group_id))`,
  `create table bulk_counters (id serial primary key, name text not null constraint bulk_counters_name unique, value integer not null default 0,
    version integer not null default 1)`,
  'create table bulk_codes (code char(4) primary key, no bigserial)',
]

class MemberRepository extends BaseRepository<typeof members, 'userId' | 'groupId'> {
  constructor(db: Database) {
    super(db, members, { key: ['userId', 'groupId'] })
  }
}
class CounterRepository extends BaseRepository<typeof counters> {
  constructor(db: Database) {
    super(db, counters, { version: 'version' })
  }
}

const a = '0aaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'
const b = '0bbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'

/** Many rows in one statement. */
export function bulkSuite({ describe, it, expect, beforeAll, beforeEach }: TestRunner, open: () => DatabaseApi): void {
  const group = () => new BaseRepository(open().db, groups)
  const member = () => new MemberRepository(open().db)
  const counter = () => new CounterRepository(open().db)
  const counting = () => watch(open().db)

  describe('many rows in one statement', () => {
    beforeAll(async () => {
      for (const statement of ddl) await open().db.execute(sql.raw(statement))
    })
    beforeEach(async () => {
      await open().db.execute(sql`truncate bulk_groups, bulk_members, bulk_counters, bulk_codes restart identity`)
    })

    describe('getMany', () => {
      it('one query; the rows in the order of the ids; who is missing is left out, who is asked twice comes twice', async () => {
        const made = await group().createMany([{ name: 'x' }, { name: 'y' }, { name: 'z' }])
        const [x, y, z] = made.map(({ id }) => id)
        const { db, statements } = counting()
        const ids = [z ?? '', a, x ?? '', (z ?? '').toUpperCase(), y ?? '']
        const rows = await new BaseRepository(db, groups).getMany(ids)
        expect(rows.map(({ name }) => name)).toEqual(['z', 'x', 'z', 'y'])
        expect(statements).toEqual(['select', 'select']) // a query within a query
        expect(await new BaseRepository(db, groups).getMany([])).toEqual([])
        expect(statements).toHaveLength(2)
      })

      it('of a key of several columns, and of one that is padded', async () => {
        const ids = [
          { groupId: b, userId: 3n },
          { groupId: a, userId: 3n },
          { groupId: b, userId: -1n },
        ]
        await member().createMany(ids)
        const { db, statements } = counting()
        const asked = [ids[2], ids[0], { groupId: a, userId: 9n }].flatMap((id) => id ?? [])
        expect(await new MemberRepository(db).getMany(asked)).toMatchObject([
          { userId: -1n },
          { groupId: b, userId: 3n },
        ])
        expect(statements).toEqual(['select', 'select']) // a query within a query
        const padded = new BaseRepository(open().db, codes)
        await padded.createMany([{ code: 'ab' }, { code: 'abcd' }])
        expect((await padded.getMany(['abcd', 'ab'])).map(({ no }) => no)).toEqual([2, 1])
      })

      it('5000 at once', async () => {
        const rows = await counter().createMany(Array.from({ length: 5000 }, (_, i) => ({ name: `n${i}` })))
        const ids = rows.map(({ id }) => id).reverse()
        expect((await counter().getMany(ids)).map(({ id }) => id)).toEqual(ids)
        const tooMany = Array.from({ length: 65_001 }, (_, i) => i)
        expect(await refused(counter().getMany(tooMany))).toMatchObject({ code: 'validation_error' })
      })
    })

    describe('createMany', () => {
      it('10,000 rows are one statement, 70,000 a few in one transaction; in the order of the values', async () => {
        const { db, statements } = counting()
        const repository = new CounterRepository(db)
        const first = await repository.createMany(
          Array.from({ length: 10_000 }, (_, i) => ({ name: `a${i}`, value: i })),
        )
        expect(first.map(({ value }) => value)).toEqual(first.map((_, i) => i))
        expect(statements).toEqual(['insert'])
        const second = await repository.createMany(Array.from({ length: 70_000 }, (_, i) => ({ name: `b${i}` })))
        expect([second.length, second[69_999]?.name, statements]).toEqual([70_000, 'b69999', ['insert', 'transaction']])
      })

      it('all of them or none, over one statement and over several', async () => {
        await counter().create({ name: 'taken' })
        expect(await refused(counter().createMany([{ name: 'new' }, { name: 'taken' }]))).toMatchObject({
          code: 'conflict',
        })
        const many = [...Array.from({ length: 66_000 }, (_, i) => ({ name: `c${i}` })), { name: 'taken' }]
        expect(await refused(counter().createMany(many))).toMatchObject({ code: 'conflict' })
        expect(await counter().count()).toBe(1)
        expect(await counter().createMany([])).toEqual([])
        // Within a transaction a failure takes back no more than itself.
        await open().transaction(async (tx) => {
          const inside = new CounterRepository(tx)
          await inside.create({ name: 'before' })
          await inside.createMany(many).catch(() => {})
        })
        expect(await counter().exists({ name: 'before' })).toBe(true)
      })
    })
  })
}
