import { bigint, integer, jsonb, pgTable, primaryKey, serial, text, uuid } from 'drizzle-orm/pg-core'
import { describe, expectTypeOf, test } from 'vitest'
import { BaseRepository, type Database, type Filters, hasMany, hasOne, type IdOf } from '../database.ts'

const members = pgTable(
  'members',
  {
    groupId: uuid().notNull(),
    userId: bigint({ mode: 'bigint' }).notNull(),
    role: text(),
    version: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.userId] })],
)
const groups = pgTable('groups', { id: uuid().primaryKey(), name: text().notNull(), extra: jsonb(), no: serial() })
declare const db: Database

class MemberRepository extends BaseRepository<typeof members, 'groupId' | 'userId'> {
  constructor() {
    super(db, members, { key: ['groupId', 'userId'], version: 'version' })
  }
}
declare const repository: MemberRepository
const id = { groupId: 'a', userId: 1n }

describe('a key of several columns', () => {
  test('is an object of them', () => {
    expectTypeOf<IdOf<typeof members, 'groupId' | 'userId'>>().toEqualTypeOf<{
      readonly groupId: string
      readonly userId: bigint
    }>()
    void repository.getById(id)
    void repository.getMany([id])
    void repository.update(id, { role: null }, { version: 1 })
    void new BaseRepository(db, members, { key: ['userId', 'groupId'] }).delete(id)
    // @ts-expect-error a column is missing
    void repository.getById({ groupId: 'a' })
    // @ts-expect-error a user is a bigint
    void repository.delete({ groupId: 'a', userId: 1 })
    // @ts-expect-error not an id of this table
    void repository.getMany(['a'])
    // @ts-expect-error no such column
    void new BaseRepository(db, members, { key: ['nope'] })
    // @ts-expect-error a role counts nothing
    void new BaseRepository(db, members, { key: ['userId', 'groupId'], version: 'role' })
    // @ts-expect-error its key was not named
    void new BaseRepository(db, members).getById(id)
  })
})

test('operators are those of the column', () => {
  const filters: Filters<typeof groups> = {
    name: { prefix: 'a' },
    no: { in: [1], gte: 1 },
    or: [{ name: null }, { id: 'x' }],
  }
  void new BaseRepository(db, groups).getAll(filters)
  void new BaseRepository(db, groups).deleteWhere({ extra: { a: 1 } })
  // @ts-expect-error a number has no prefix
  void new BaseRepository(db, groups).getAll({ no: { prefix: 'a' } })
  // @ts-expect-error a uuid has none either
  void new BaseRepository(db, groups).getAll({ id: { contains: 'a' } })
  // @ts-expect-error no such operator
  void new BaseRepository(db, groups).getAll({ no: { like: 1 } })
  // @ts-expect-error no such column, deep down
  void new BaseRepository(db, groups).getAll({ and: [{ nope: 1 }] })
  // @ts-expect-error JSON has no order
  void new BaseRepository(db, groups).getAll({}, { orderBy: { extra: 'asc' } })
  // @ts-expect-error no such column
  void new BaseRepository(db, groups).upsert({ id: 'a', name: 'x' }, { on: ['nope'] })
})

test('what is loaded is typed by the relation, and certain where its name is written down', async () => {
  const relations = { members: hasMany(members, { from: groups.id, to: members.groupId }) }
  const rows = await new BaseRepository(db, groups).getAll()
  const [row] = await new BaseRepository(db, groups).load(rows, relations, ['members'])
  expectTypeOf(row?.members[0]?.userId).toEqualTypeOf<bigint | undefined>()
  expectTypeOf(row?.name).toEqualTypeOf<string | undefined>()
  const asked: 'members'[] = []
  const [maybe] = await new BaseRepository(db, groups).load(rows, relations, asked)
  expectTypeOf(maybe?.members?.[0]?.role).toEqualTypeOf<string | null | undefined>()
  const back = { group: hasOne(groups, { from: members.groupId, to: groups.id }) }
  const [member] = await repository.load(await repository.getAll(), back, ['group'])
  expectTypeOf(member?.group?.name).toEqualTypeOf<string | undefined>()
  // @ts-expect-error no such relation
  void new BaseRepository(db, groups).load(rows, relations, ['books'])
})
