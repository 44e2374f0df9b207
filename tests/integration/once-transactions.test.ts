// once() and the transaction around it: how many statements, retries, a lost answer to COMMIT, the removal of old keys.
import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../packages/core/src/base/clock.ts'
import { type CutProxy, startCutProxy } from '../support/cut-proxy.ts'
import { marksDdl, type OnceApp, onceDdl, startOnceApp } from '../support/once-app.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

describe.skipIf(!(await hasPostgres()))('once() and its transaction', () => {
  let server: TestPostgres
  let query: postgres.Sql
  let proxy: CutProxy
  const apps: OnceApp[] = []
  const start = async (options: Parameters<typeof startOnceApp>[0]): Promise<OnceApp> => {
    const app = await startOnceApp(options)
    apps.push(app)
    return app
  }
  beforeAll(async () => {
    server = await startPostgres()
    query = postgres(server.url, { max: 4, onnotice: () => {} })
    await query.unsafe(onceDdl + marksDdl)
    await query`insert into tallies values ('only', 0)`
    proxy = await startCutProxy(server.url)
  })
  afterAll(async () => {
    for (const app of apps) await app.close({ abandon: true })
    proxy.close()
    await query.end()
    await server.stop()
  })
  const countOf = async (name: string) => {
    const [row] = await query<[{ n: number }]>`select count(*)::int as n from marks where name = ${name}`
    return row.n
  }

  test('a call takes two statements and one message more than the same one without a key', async () => {
    const app = await start({ url: proxy.url, max: 1 })
    const call = (key: string | null) => app.call({ wire: 'http', route: 'MARK', input: { name: randomUUID() }, key })
    const sentBy = async (key: string | null): Promise<{ messages: number; statements: number; pieces: number }> => {
      const sent = { messages: 0, statements: 0, pieces: 0 }
      // A statement is a message Bind, or in the text of a Query: BEGIN, COMMIT, and EXECUTE of what is prepared.
      proxy.toServer = (bytes) => {
        const queries = countMessages(bytes, 'Q')
        const text = bytes.toString('latin1')
        sent.messages += countMessages(bytes, 'B') + queries
        sent.statements += countMessages(bytes, 'B') + queries + (text.includes('; execute ') ? 1 : 0)
        sent.pieces += 1
        return 'pass'
      }
      expect((await call(key)).ok).toBe(true)
      proxy.toServer = () => 'pass'
      return sent
    }
    // Prepares what is prepared once; the first transaction of a connection sends the reservation alone.
    for (const key of [null, randomUUID(), randomUUID()]) expect((await call(key)).ok).toBe(true)
    const without = await sentBy(null)
    expect(without.statements).toBeGreaterThanOrEqual(3)
    expect(await sentBy(randomUUID())).toEqual({
      messages: without.messages + 1,
      statements: without.statements + 2,
      // The key comes with BEGIN, the reply with COMMIT: no round trip more.
      pieces: without.pieces,
    })
  })

  test('of retries each reserves the key again, and one is kept', async () => {
    const nodes = [
      await start({ url: server.url, isolation: 'serializable', retries: 5 }),
      await start({ url: server.url, isolation: 'serializable', retries: 5 }),
    ]
    const name = randomUUID()
    const input = { name, delayMs: 100 }
    const keys = [randomUUID(), randomUUID()]
    const answers = await Promise.all(
      keys.flatMap((key) => nodes.map((node) => node.call({ wire: 'ws', route: 'TALLY', input, key }))),
    )
    // Two keys, each on both nodes: two effects, one of which had to be retried.
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true])
    const counts = answers.map(({ data }) => Object(data).n)
    expect([counts[0], counts[2]]).toEqual([counts[1], counts[3]])
    expect(counts.toSorted()).toEqual([1, 1, 2, 2])
    const [row] = await query<[{ n: number }]>`select n from tallies`
    expect(row.n).toBe(2)
    expect(nodes.reduce((sum, { runs }) => sum + (runs.get(name) ?? 0), 0)).toBeGreaterThanOrEqual(3)
  })

  test('a serialization failure without retries leaves no key', async () => {
    const app = await start({ url: server.url, isolation: 'repeatable read' })
    const name = randomUUID()
    const keys = Array.from({ length: 5 }, () => randomUUID())
    const input = { name, delayMs: 100 }
    const call = (key: string) => app.call({ wire: 'ws', route: 'TALLY', input, key })
    const answers = await Promise.all(keys.map(call))
    const failed = keys.filter((_, i) => answers[i]?.ok === false)
    expect(failed.length).toBeGreaterThan(0)
    for (const answer of answers) if (!answer.ok) expect(answer.data).toMatchObject({ code: 'conflict' })
    for (const key of failed) expect(await call(key)).toMatchObject({ ok: true })
  })

  test.each([
    ['its table has changed', 'alter table twinwire_once alter column key type varchar(60)'],
    ['the session has forgotten what it prepared', 'deallocate all'],
  ])('%s: the key that comes with BEGIN is reserved nevertheless', async (_, change) => {
    const app = await start({ url: server.url, max: 1 })
    const call = (key: string) => app.call({ wire: 'http', route: 'MARK', input: { name: key }, key })
    const keys = Array.from({ length: 4 }, () => randomUUID())
    const [first = '', second = '', third = '', fourth = ''] = keys
    for (const key of [first, second]) expect(await call(key)).toMatchObject({ ok: true })
    await app.rows(sql.raw(change))
    for (const key of [third, fourth]) expect(await call(key)).toMatchObject({ ok: true })
    for (const key of keys) expect(await call(key)).toMatchObject({ ok: true, data: { name: key } })
    for (const key of keys) expect([await countOf(key), app.runs.get(key)]).toEqual([1, 1])
  })

  test('a table with wrong types fails the calls, and does not replace the connections', async () => {
    const wrong = await startPostgres()
    const app = await startOnceApp({
      url: wrong.url,
      max: 1,
      prepare: async (db) => {
        await db.execute(sql.raw(onceDdl.replace('"fingerprint" text', '"fingerprint" integer') + marksDdl))
      },
    })
    try {
      const call = () => app.call({ wire: 'http', route: 'MARK', input: { name: 'wrong' }, key: randomUUID() })
      const pid = await app.rows(sql`select pg_backend_pid()`)
      for (let i = 0; i < 3; i += 1) expect(await call()).toMatchObject({ ok: false, status: 500 })
      expect(await app.rows(sql`select pg_backend_pid()`)).toEqual(pid)
    } finally {
      await app.close({ abandon: true })
      await wrong.stop()
    }
  })

  test('the session has prepared something by its name, for another process behind a pooler: the key is reserved', async () => {
    const app = await start({ url: server.url, max: 1 })
    await app.rows(sql.raw('prepare twinwire_first_1 as select 1'))
    const keys = [randomUUID(), randomUUID()]
    const call = (key: string) => app.call({ wire: 'http', route: 'MARK', input: { name: key }, key })
    for (const key of [...keys, ...keys]) expect(await call(key)).toMatchObject({ ok: true, data: { name: key } })
    for (const key of keys) expect(await countOf(key)).toBe(1)
  })

  test.each(['before it', 'after it'])(
    'a connection that is lost at COMMIT, %s: the repeated call tells',
    async (when) => {
      const app = await start({ url: proxy.url, max: 2 })
      const other = await start({ url: server.url })
      const name = randomUUID()
      const key = randomUUID()
      let committing = false
      proxy.toServer = (bytes) => {
        if (!/commit/i.test(bytes.toString('latin1'))) return 'pass'
        committing = true
        return when === 'before it' ? 'cut' : 'pass'
      }
      proxy.toClient = () => (committing && when === 'after it' ? 'cut' : 'pass')
      const lost = await app.call({ wire: 'ws', route: 'MARK', input: { name }, key })
      proxy.toServer = () => 'pass'
      proxy.toClient = () => 'pass'
      expect(lost).toMatchObject({ ok: false, data: { code: 'outcome_unknown' } })
      const again = await other.call({ wire: 'http', route: 'MARK', input: { name }, key })
      expect(again).toMatchObject({ ok: true, data: { name } })
      expect(await app.call({ wire: 'ws', route: 'MARK', input: { name }, key })).toMatchObject({ data: again.data })
      expect(await countOf(name)).toBe(1)
      expect(other.runs.get(name) ?? 0).toBe(when === 'before it' ? 1 : 0)
    },
  )

  test('a handler that never ends: the second call gets 409 at its own deadline, then it is free', async () => {
    const patient = await start({ url: server.url, deadlineMs: 4000 })
    const impatient = await start({ url: server.url, deadlineMs: 300 })
    const name = randomUUID()
    const key = randomUUID()
    const call = (app: OnceApp) => app.call({ wire: 'http', route: 'HANG', input: { name }, key })
    const first = call(patient)
    await expect.poll(() => patient.runs.get(name)).toBe(1)
    expect(await call(impatient)).toMatchObject({ status: 409, data: { code: 'idempotency_in_progress' } })
    expect(await first).toMatchObject({ status: 504, data: { code: 'deadline_exceeded' } })
    // Rolled back: the next call runs by itself.
    expect(await call(impatient)).toMatchObject({ status: 504, data: { code: 'deadline_exceeded' } })
    expect([impatient.runs.get(name), await countOf(name)]).toEqual([1, 0])
    // On the same node too, where the first handler still runs.
    expect(await call(impatient)).toMatchObject({ status: 504, data: { code: 'deadline_exceeded' } })
    expect([impatient.runs.get(name), await countOf(name)]).toEqual([2, 0])
  })

  test('expired keys are removed, others stay, and a removed key is free', async () => {
    // The minute between two removals is a moment; limits of 30 s, such as that of the pool, stay.
    const clock = {
      ...systemClock,
      timer: (delayMs: number, run: () => void) =>
        systemClock.timer(delayMs > 30_000 && delayMs <= 90_000 ? 20 : delayMs, run),
    }
    const app = await start({ url: server.url, clock, max: 1 })
    const [old, young] = [randomUUID(), randomUUID()]
    for (const name of [old, young]) await app.call({ wire: 'ws', route: 'MARK', input: { name }, key: name })
    const before = await query<{ key: string }[]>`select key from twinwire_once order by expires_at desc limit 1`
    await query`update twinwire_once set expires_at = now() - interval '1 second' where key <> ${before[0]?.key ?? ''}`
    await query`insert into twinwire_once select 'old-' || n, '', '{}', now() - interval '1 day' from generate_series(1, 2500) n`
    await expect
      .poll(async () => (await query`select count(*)::int as n from twinwire_once where expires_at < now()`)[0]?.n)
      .toBe(0)
    expect(await query`select key from twinwire_once`).toEqual(before)
    // That removals do not wait for the disk ends with each of them.
    expect(await app.rows(sql`show synchronous_commit`)).toEqual([{ synchronous_commit: 'on' }])
    await app.call({ wire: 'ws', route: 'MARK', input: { name: old }, key: old })
    await app.call({ wire: 'ws', route: 'MARK', input: { name: young }, key: young })
    expect([await countOf(old), await countOf(young)]).toEqual([2, 1])
  })

  test('a handler that removes the key is rolled back', async () => {
    await query.unsafe(`create function remove_keys() returns trigger language plpgsql as $$
      begin if new.name = 'removes' then delete from twinwire_once; end if; return new; end $$;
      create trigger remove_keys before insert on marks for each row execute function remove_keys()`)
    const app = await start({ url: server.url })
    const call = () =>
      app.call({ wire: 'http', route: 'MARK', input: { name: 'removes' }, key: '6c8f37f3-7b49-4b3c-8a7e-2d1c4a1f0b52' })
    expect(await call()).toMatchObject({ status: 500, data: { code: 'internal_error' } })
    expect(await call()).toMatchObject({ status: 500 })
    expect(await countOf('removes')).toBe(0)
    expect(app.runs.get('removes')).toBe(2)
  })

  test('without its table the app does not start, and says what to do', async () => {
    const empty = await startPostgres()
    try {
      await expect(startOnceApp({ url: empty.url })).rejects.toMatchObject({
        code: 'missing_table',
        message: expect.stringContaining('export { onceTable }'),
      })
    } finally {
      await empty.stop()
    }
  })
})

/** Messages of one type that a client has sent: a type, and a length. */
function countMessages(bytes: Buffer, type: string): number {
  let count = 0
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readInt32BE(at + 1))
    if (String.fromCharCode(bytes[at] ?? 0) === type) count += 1
  return count
}
