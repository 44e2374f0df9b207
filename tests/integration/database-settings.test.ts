// Settings of a server, a database or a role do not change what is read and written.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { customType, doublePrecision, integer, interval, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { afterEach, describe, expect, test } from 'vitest'
import { createFakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import type { Database } from '../../packages/core/src/database/database.ts'
import { database } from '../../packages/core/src/database/database-plugin.ts'
import { BaseRepository } from '../../packages/core/src/database/repository.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pg-bouncer.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
const logs = pgTable('logs', {
  id: integer().primaryKey(),
  at: timestamp(),
  made: timestamp({ withTimezone: true, mode: 'string' }),
  took: interval(),
  ratio: doublePrecision(),
  words: text().array(),
  blob: bytes(),
})
const row = {
  id: 1,
  at: new Date('2024-05-06T10:00:00Z'),
  made: '2024-05-06 10:00:00+00',
  took: '-1 days +02:03:00',
  ratio: 0.30000000000000004,
  words: ['NULL', null] as unknown as string[],
  blob: Buffer.from([0, 255, 92, 34]),
}
const odd = [
  `datestyle = 'German'`,
  `timezone = 'Asia/Kathmandu'`,
  `intervalstyle = 'iso_8601'`,
  `bytea_output = 'escape'`,
  'extra_float_digits = -5',
  'array_nulls = off',
]

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
const boot = async (options: Parameters<typeof database>[0]) => {
  const host = createFakeHost()
  closing.push(() => host.close())
  return database({ connect: { retries: 0 }, ...options }).setup(host)
}
const prepare = async (db: Database) => {
  await db.execute(
    sql`create table if not exists logs (id integer primary key, at timestamp, made timestamptz, took interval,
      ratio double precision, words text[], blob bytea)`,
  )
  const [{ name } = { name: '' }] = await db
    .select({ name: sql<string>`quote_ident(current_database())` })
    .from(sql`(select 1) a`)
  for (const setting of odd) await db.execute(sql.raw(`alter database ${name} set ${setting}`))
}
const check = async (db: Database) => {
  const repository = new BaseRepository(db, logs)
  expect(await repository.create(row)).toStrictEqual(row)
  expect(await repository.getById(1)).toStrictEqual(row)
  const [found] = await db
    .select({ one: sql<number>`count(*)::int` })
    .from(logs)
    .where(sql`at = '2024-05-06 10:00:00' and words[2] is null`)
  expect(found).toEqual({ one: 1 })
  await repository.delete(1)
}

describe.skipIf(!(await hasPostgres()))('on PostgreSQL', () => {
  const start = async () => {
    const postgres = await startPostgres()
    closing.push(() => postgres.stop())
    await prepare((await boot({ url: postgres.url })).db)
    return postgres
  }

  test('what is set for the database changes nothing, in a transaction or outside of one', async () => {
    const { url } = await start()
    const api = await boot({ url })
    await check(api.db)
    await api.transaction(check)
  })

  test('a url that sets what values are read by is refused at start', async () => {
    const { url } = await start()
    for (const [name, value] of [
      ['DateStyle', 'German'],
      ['array_nulls', 'off'],
    ] as const) {
      const odd = Object.assign(new URL(url), { search: `?${name}=${value}` }).href
      await expect(boot({ url: odd })).rejects.toMatchObject({
        code: 'bad_option',
        message: expect.stringContaining(name),
      })
    }
  })

  describe.skipIf(!hasPgBouncer())('behind a PgBouncer', () => {
    const startBehind = async () => {
      const postgres = await start()
      const bouncer = await startPgBouncer(postgres.url)
      closing.push(() => bouncer.stop())
      return { postgres, bouncer }
    }

    test('without pgBouncer: true the start fails, and says so', async () => {
      const { bouncer } = await startBehind()
      await expect(boot({ url: bouncer.url })).rejects.toThrow(/set pool.pgBouncer to true/)
    })

    test('the start names the commands to run; once they have run, all is read and written as it is', async () => {
      const { postgres, bouncer } = await startBehind()
      const options = { url: bouncer.url, pool: { pgBouncer: true } }
      const error: unknown = await boot(options).catch((reason: unknown) => reason)
      const message = error instanceof Error ? error.message : ''
      expect(message).toMatch(
        /^Sessions of the database have an unsupported IntervalStyle, bytea_output, extra_float_digits, array_nulls\./,
      )
      const commands = message.match(/ALTER ROLE [^;]*;/g) ?? []
      expect(commands).toHaveLength(4)
      await bouncer.stop()
      const direct = (await boot({ url: postgres.url })).db
      for (const command of commands) await direct.execute(sql.raw(command))
      const again = await startPgBouncer(postgres.url)
      closing.push(() => again.stop())
      const api = await boot({ url: again.url, pool: { pgBouncer: true } })
      await check(api.db)
      await api.transaction(check)
      for (const command of commands) await direct.execute(sql.raw(command.replace(/ SET (\w+) .*/, ' RESET $1')))
    })

    test('a transaction sets them for itself', async () => {
      const { postgres, bouncer } = await startBehind()
      const direct = (await boot({ url: postgres.url })).db
      await direct.execute(sql.raw(`alter database ${new URL(postgres.url).pathname.slice(1)} reset all`))
      const api = await boot({ url: bouncer.url, pool: { pgBouncer: true, max: 2 } })
      // What other clients leave behind.
      for (const setting of odd) await api.db.execute(sql.raw(`set ${setting}`))
      await api.transaction(check)
      await api.transaction(check, { isolation: 'serializable' })
    })
  })
})

test('on PGlite, what is set for the database changes nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-settings-'))
  const first = createFakeHost()
  const url = `pglite://${folder}`
  await prepare((await database({ url }).setup(first)).db)
  await first.close()
  const api = await boot({ url })
  await check(api.db)
  await api.transaction(check)
  for (const close of closing.splice(0)) await close()
  await rm(folder, { recursive: true, force: true })
}, 60_000)
