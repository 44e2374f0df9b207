import { type SQL, sql } from 'drizzle-orm'
import { bigint, integer, pgTable, primaryKey, serial, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { Database, DatabaseApi } from '../../database.ts'
import { BaseRepository } from '../../repository.ts'
import { relationsSuite } from './relations.suite.ts'
import { refused, watch } from './suite-tools.ts'

const groups = pgTable('groups', { id: uuid().primaryKey().defaultRandom(), name: text().notNull() })
const members = pgTable(
  'members',
  {
    groupId: uuid('group_id').notNull(),
    userId: bigint('user_id', { mode: 'bigint' }).notNull(),
    role: text().notNull().default('reader'),
    note: text(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.groupId] })],
)
const counters = pgTable(
  'counters',
  {
    id: serial().primaryKey(),
    name: text().notNull(),
    value: integer().notNull().default(0),
    version: integer().notNull().default(1),
  },
  (table) => [uniqueIndex('counters_name').on(table.name)],
)

const ddl = [
  'create table groups (id uuid primary key default gen_random_uuid(), name text not null)',
  `create table members (group_id uuid, user_id bigint, role text not null default 'reader', note text, primary key (user_id, group_id))`,
  `create table counters (id serial primary key, name text not null constraint counters_name unique, value integer not null default 0,
    version integer not null default 1)`,
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

/** Many rows, keys of several columns, and concurrent writers. */
export function rowsSuite(runner: TestRunner, open: () => DatabaseApi): void {
  const { describe, it, expect, beforeAll, beforeEach } = runner
  describe('rows, keys and versions', () => {
    const group = () => new BaseRepository(open().db, groups)
    const member = () => new MemberRepository(open().db)
    const counter = () => new CounterRepository(open().db)
    const counting = () => watch(open().db)

    beforeAll(async () => {
      for (const statement of ddl) await open().db.execute(sql.raw(statement))
    })
    beforeEach(async () => {
      await open().db.execute(sql`truncate groups, members, counters restart identity`)
    })

    describe('a key of several columns', () => {
      const id = { groupId: a, userId: 2n ** 60n }

      it('finds, changes and deletes the one row that has them all', async () => {
        const row = await member().create({ ...id, role: 'owner' })
        await member().create({ ...id, groupId: b })
        expect(await member().getById(id)).toEqual(row)
        // A row is its own id.
        expect(await member().getById(row)).toEqual(row)
        expect(await member().update(id, { note: 'x' })).toEqual({ ...row, note: 'x' })
        await member().delete(id)
        expect(await member().getAll()).toMatchObject([{ groupId: b }])
      })

      it('messages name every column', async () => {
        await expect(member().getById(id)).rejects.toThrow(
          `Member with ID userId 1152921504606846976, groupId ${a} not found`,
        )
      })

      it('one that lacks a column, or is not a key, is refused', async () => {
        const ids: unknown[] = [
          { groupId: a },
          { groupId: a, userId: null },
          { groupId: 'x', userId: 1n },
          { ...id, userId: 2n ** 63n },
          null,
          'x',
          [],
        ]
        for (const each of ids) {
          const error = await refused(Promise.resolve().then(() => Reflect.apply(member().getById, member(), [each])))
          expect(error).toMatchObject({ code: 'validation_error' })
          const many = Promise.resolve().then(() => Reflect.apply(member().getMany, member(), [[id, each]]))
          expect(await refused(many)).toMatchObject({ code: 'validation_error' })
        }
      })

      it('orders by the columns of the key as they were declared', async () => {
        for (const [groupId, userId] of [
          [b, 1n],
          [a, 2n],
          [a, 1n],
        ] as const)
          await member().create({ groupId, userId })
        expect((await member().getAll()).map(({ groupId, userId }) => [userId, groupId])).toEqual([
          [1n, a],
          [1n, b],
          [2n, a],
        ])
      })
    })

    describe('upsert', () => {
      it('inserts, and then changes what is given and nothing else', async () => {
        const made = await counter().upsert({ name: 'x', value: 1 }, { on: ['name'] })
        expect(made).toEqual({ id: 1, name: 'x', value: 1, version: 1 })
        const again = await counter().upsert({ name: 'x', value: 7 }, { on: ['name'] })
        expect(again).toEqual({ ...made, value: 7, version: 2 })
        const kept = await counter().upsert({ name: 'x' }, { on: ['name'] })
        expect(kept).toMatchObject({ id: 1, value: 7 })
        const patched = await counter().upsert({ name: 'x', value: 100 }, { on: ['name'], patch: { value: 8 } })
        expect(patched).toMatchObject({ id: 1, value: 8 })
        expect(await counter().count()).toBe(1)
      })

      it('by the primary key unless it is told otherwise, of several columns too', async () => {
        const id = { groupId: a, userId: 1n }
        expect(await member().upsert({ ...id, note: 'a' })).toMatchObject({ role: 'reader', note: 'a' })
        expect(await member().upsert({ ...id, role: 'owner' })).toMatchObject({ role: 'owner', note: 'a' })
        expect(await member().upsert(id)).toMatchObject({ role: 'owner', note: 'a' })
        expect(await member().upsert({ ...id, note: null })).toMatchObject({ note: null })
      })

      it('a name that is not a column is refused', async () => {
        const options: object = { on: ['nope'] }
        expect(await refused(Promise.resolve().then(() => counter().upsert({ name: 'x' }, options)))).toMatchObject({
          code: 'validation_error',
        })
      })
    })

    it('deleteWhere says how many there were', async () => {
      await counter().createMany([
        { name: 'a', value: 1 },
        { name: 'b', value: 2 },
        { name: 'c', value: 3 },
      ])
      expect(await counter().deleteWhere({ value: { gte: 2 } })).toBe(2)
      expect(await counter().deleteWhere({ value: { gte: 2 } })).toBe(0)
      expect(await counter().count()).toBe(1)
    })

    it('exists asks for no row', async () => {
      await counter().create({ name: 'a' })
      const selected: string[][] = []
      const { db } = open()
      const select = (fields: Record<string, SQL>) => {
        selected.push(Object.keys(fields))
        return db.select(fields)
      }
      const watched = new Proxy(db, {
        get: (target, name, receiver) => (name === 'select' ? select : Reflect.get(target, name, receiver)),
      })
      expect(await new CounterRepository(watched).exists({ name: 'a' })).toBe(true)
      expect(selected).toEqual([['one']])
    })

    describe('a version', () => {
      it('counts the changes, and refuses one that is made over another', async () => {
        const row = await counter().create({ name: 'x' })
        expect(await counter().update(row.id, { value: 1 }, { version: row.version })).toMatchObject({
          value: 1,
          version: 2,
        })
        const late = counter().update(row.id, { value: 2 }, { version: row.version })
        await expect(late).rejects.toMatchObject({
          code: 'conflict',
          message: 'Counter with ID 1 was changed in the meantime',
          details: { version: 2 },
        })
        expect(await counter().update(row.id, { value: 3 })).toMatchObject({ value: 3, version: 3 })
        expect(await counter().update(row.id, { value: 4, version: 99 })).toMatchObject({ value: 4, version: 4 })
      })

      it('is looked at by an empty patch and by delete, and a deleted row is not found', async () => {
        const row = await counter().create({ name: 'x' })
        expect(await counter().update(row.id, {}, { version: 1 })).toEqual(row)
        await expect(counter().update(row.id, {}, { version: 5 })).rejects.toMatchObject({ code: 'conflict' })
        await expect(counter().delete(row.id, { version: 5 })).rejects.toMatchObject({ code: 'conflict' })
        await counter().delete(row.id, { version: 1 })
        await expect(counter().delete(row.id, { version: 1 })).rejects.toMatchObject({ code: 'not_found' })
        await expect(counter().update(row.id, { value: 1 }, { version: 1 })).rejects.toMatchObject({
          code: 'not_found',
        })
        await expect(counter().update(1, {}, { version: 1.5 })).rejects.toMatchObject({ code: 'validation_error' })
      })

      it('without a column for it there is none to ask for', async () => {
        const { id } = await group().create({ name: 'x' })
        await expect(group().update(id, { name: 'y' }, { version: 1 })).rejects.toThrow(/has no version/)
      })
    })

    it('an empty patch sends no UPDATE: the row is read', async () => {
      const { id } = await counter().create({ name: 'x' })
      const { db, statements } = counting()
      expect(await new CounterRepository(db).update(id, { name: undefined })).toMatchObject({ name: 'x', version: 1 })
      expect(statements).toEqual(['select'])
    })

    relationsSuite(runner, open, counting)
  })
}
