import { sql } from 'drizzle-orm'
import { bigint, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { Database, DatabaseApi } from '../../database.ts'
import { hasMany, hasOne } from '../../relations.ts'
import { BaseRepository } from '../../repository.ts'
import { refused } from './suite-tools.ts'

const teams = pgTable('teams', { id: uuid().primaryKey(), name: text().notNull() })
const players = pgTable('players', {
  playerId: bigint('player_id', { mode: 'bigint' }).primaryKey(),
  teamId: uuid('team_id').notNull(),
})

const ddl = [
  'create table teams (id uuid primary key, name text not null)',
  'create table players (player_id bigint primary key, team_id uuid not null)',
]

const a = '0aaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'
const b = '0bbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'

/** Related rows. `counting`: a handle that counts what is sent through it. */
export function relationsSuite(
  { describe, it, expect, beforeAll, beforeEach }: TestRunner,
  open: () => DatabaseApi,
  counting: () => { readonly db: Database; readonly statements: readonly string[] },
): void {
  describe('relations', () => {
    const team = () => new BaseRepository(open().db, teams)
    const player = () => new BaseRepository(open().db, players)
    const relations = {
      members: hasMany(players, { from: teams.id, to: players.teamId, orderBy: { playerId: 'desc' }, limit: 2 }),
    }
    const back = { team: hasOne(teams, { from: players.teamId, to: teams.id }) }
    beforeAll(async () => {
      for (const statement of ddl) await open().db.execute(sql.raw(statement))
    })
    beforeEach(async () => {
      await open().db.execute(sql`truncate teams, players`)
      await team().createMany([
        { id: a, name: 'a' },
        { id: b, name: 'b' },
      ])
      await player().createMany([1n, 2n, 3n].map((playerId) => ({ teamId: a, playerId })))
    })

    it('one query for each name, whatever the number of rows; in order, and not more than the limit', async () => {
      const { db, statements } = counting()
      const repository = new BaseRepository(db, teams)
      const rows = await repository.load(await repository.getAll(), relations, ['members', 'members'])
      expect(rows.map(({ name, members: some }) => [name, some.map(({ playerId }) => playerId)])).toEqual([
        ['a', [3n, 2n]],
        ['b', []],
      ])
      expect(statements.filter((each) => each === 'select')).toHaveLength(3) // the rows, and a query within a query
    })

    it('of more keys than one statement can carry', async () => {
      const keys = Array.from(
        { length: 70_000 },
        (_, index) => `0ddddddd-dddd-4ddd-8ddd-${String(index).padStart(12, '0')}`,
      )
      const rows = [...keys, a].map((id) => ({ id, name: '' }))
      const loaded = await team().load(rows, relations, ['members'])
      expect(loaded.filter(({ members: some }) => some.length > 0).map(({ id }) => id)).toEqual([a])
    })

    it('of one row; null where there is none', async () => {
      await player().create({ teamId: '0ccccccc-cccc-4ccc-8ccc-cccccccccccc', playerId: 9n })
      const rows = await player().load(await player().getAll({ playerId: { in: [1n, 9n] } }), back, ['team'])
      expect(rows.map((row) => row.team?.name ?? null)).toEqual(['a', null])
      expect(await player().load([], back, ['team'])).toEqual([])
    })

    it('a name that is none, however it came, is refused; a relation of another table does not fit', async () => {
      const names: string[] = ['toString']
      const work = Promise.resolve().then(() => Reflect.apply(team().load, team(), [[], relations, names]))
      expect(await refused(work)).toMatchObject({ code: 'validation_error', details: [{ path: 'toString' }] })
      await expect(team().load(await team().getAll(), back, ['team'])).rejects.toThrow(/must be a column of 'teams'/)
      expect(() => hasMany(players, { from: teams.id, to: teams.id })).toThrow(/must be a column of 'players'/)
      expect(() => hasMany(players, { from: teams.id, to: players.teamId, limit: 0 })).toThrow(/limit/)
    })
  })
}
