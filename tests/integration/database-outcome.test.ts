// An answer is the truth: what was answered as done is there, what was answered with a code that says "not done" is not.
import { setTimeout } from 'node:timers/promises'
import { type AppOptions, event, route } from '@twinwire/core'
import { type Database, database, databaseKey, transaction, withDb } from '@twinwire/core/database'
import { type CallError, createTestApp } from '@twinwire/core/testing'
import { type SQL, sql } from 'drizzle-orm'
import { pgTable, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../packages/core/src/base/clock.ts'
import { createFakeHost, type FakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import { type Call, interceptor, type Next } from '../../packages/core/src/index.ts'
import { type CutProxy, startCutProxy } from '../support/cut-proxy.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const marks = pgTable('marks', { name: text().primaryKey() })
const MarkInput = v.object({ name: v.string() })
const marked = event({ data: MarkInput })

/** `slow-…`: COMMIT takes 3 s. `bad-…`: it takes 2.5 s and fails. `late-…`: the insert itself takes half a minute. */
const schema = sql.raw(`
  create table marks (name text primary key);
  create function slow_commit() returns trigger language plpgsql as $$
  begin
    if new.name like 'slow-%' then perform pg_sleep(3); end if;
    if new.name like 'short-%' then perform pg_sleep(0.05); end if;
    if new.name like 'bad-%' then perform pg_sleep(2.5); raise exception 'not this one'; end if;
    return new;
  end $$;
  create constraint trigger slow_commit after insert on marks deferrable initially deferred for each row execute function slow_commit();
  create function slow_insert() returns trigger language plpgsql as $$
  begin
    if new.name like 'late-%' then perform pg_sleep(30); end if;
    return new;
  end $$;
  create trigger slow_insert before insert on marks for each row execute function slow_insert();
  create function add_mark(name text) returns text language sql as 'insert into marks values (name) returning name';
`)

const write = async (db: Database, name: string) => {
  await db.insert(marks).values({ name })
}
/** Waits until the signal of the call aborts, then a little longer than nothing. */
const aborted = (call: Pick<Call, 'signal'>) =>
  new Promise<void>((resolve) => call.signal.addEventListener('abort', () => resolve(), { once: true }))

let runs = 0
const announce = (call: Pick<Call, 'broadcast'>, name: string) => call.broadcast(marked, { name })

const pkgIds = {
  WRITE: 1,
  WRITE_ALONE: 2,
  WRITE_THEN_WAIT: 3,
  WRITE_TWICE: 4,
  RETRY: 5,
  READ: 6,
  SELECT_WRITES: 7,
  CTE_WRITES: 8,
  ALONE_THEN_EFFECT: 9,
  AUDITED: 10,
  QUICK_ALONE: 11,
  SIDE_BY_SIDE: 12,
  MARKED: 100,
} as const

const input = MarkInput
const deadlineMs = 2000
const routes = {
  WRITE: route({
    http: 'POST /write',
    use: [transaction()],
    deadlineMs,
    input,
    handler: async ({ name }, call) => {
      runs += 1
      await write(call.db, name)
      announce(call, name)
      return name
    },
  }),
  WRITE_ALONE: route({
    http: 'POST /write-alone',
    use: [withDb()],
    deadlineMs,
    input,
    handler: async ({ name }, { db }) => {
      await write(db, name)
      return name
    },
  }),
  WRITE_THEN_WAIT: route({
    http: 'POST /write-then-wait',
    use: [withDb()],
    deadlineMs: 1000,
    input,
    handler: async ({ name }, call) => {
      await write(call.db, name)
      await aborted(call)
      return name
    },
  }),
  WRITE_TWICE: route({
    http: 'POST /write-twice',
    use: [withDb()],
    deadlineMs: 1500,
    input,
    handler: async ({ name }, call) => {
      await call.db.transaction((tx) => write(tx, `${name}-1`))
      await call.db.transaction(async (tx) => {
        await write(tx, `${name}-2`)
        await aborted(call)
      })
      return name
    },
  }),
  RETRY: route({
    http: 'POST /retry',
    use: [transaction({ retries: 5 })],
    input,
    handler: async ({ name }, call) => {
      runs += 1
      await write(call.db, name)
      return name
    },
  }),
  READ: route({
    http: 'POST /read',
    use: [withDb()],
    input,
    handler: async ({ name }, { db }) => {
      await db.execute(sql`select count(*), lower(name) from marks where name = ${name} group by name`)
      return name
    },
  }),
  SELECT_WRITES: route({
    http: 'POST /select-writes',
    use: [withDb()],
    input,
    handler: async ({ name }, { db }) => {
      await db.execute(sql`select add_mark(${name})`)
      return name
    },
  }),
  CTE_WRITES: route({
    http: 'POST /cte-writes',
    use: [withDb()],
    input,
    handler: async ({ name }, { db }) => {
      await db.execute(sql`with made as (insert into marks values (${name}) returning name) select name from made`)
      return name
    },
  }),
  ALONE_THEN_EFFECT: route({
    http: 'POST /alone-then-effect',
    use: [withDb()],
    deadlineMs: 1000,
    input,
    handler: async ({ name }, call) => {
      call.afterCommit(() => announce(call, name))
      await write(call.db, name)
      await aborted(call)
      return name
    },
  }),
  QUICK_ALONE: route({
    http: 'POST /quick-alone',
    use: [withDb()],
    input,
    handler: async ({ name }, { db }) => {
      await write(db, name)
      return name
    },
  }),
  SIDE_BY_SIDE: route({
    http: 'POST /side-by-side',
    use: [withDb()],
    deadlineMs,
    input,
    handler: async ({ name }, { db }) => {
      await Promise.all([write(db, `${name}-1`), write(db, `late-${name}-2`), write(db, `late-${name}-3`)])
      return name
    },
  }),
  AUDITED: route({
    http: 'POST /audited',
    use: [
      interceptor({
        name: 'audited',
        needs: databaseKey,
        bind: (api) => async (call: Call, next: Next) => {
          const outcome = await next()
          await api.transaction((tx) => write(tx, `audit of ${call.id}`), { call })
          return outcome
        },
      }),
      transaction(),
    ],
    deadlineMs,
    input,
    handler: async ({ name }, { db }) => {
      await write(db, name)
      return name
    },
  }),
}
type Name = keyof typeof routes

const available = await hasPostgres()
const wires = ['call', 'http'] as const

describe.skipIf(!available)('the outcome of a write', () => {
  let postgres: TestPostgres
  let proxy: CutProxy
  let admin: Database
  const hosts: FakeHost[] = []
  const boot = async (url: string, options: object = {}) => {
    const host: FakeHost = { ...createFakeHost(), clock: systemClock }
    hosts.push(host)
    return database({ url, ...options }).setup(host)
  }
  beforeAll(async () => {
    postgres = await startPostgres()
    admin = (await boot(postgres.url)).db
    await admin.execute(schema)
    proxy = await startCutProxy(postgres.url)
  })
  beforeEach(() => {
    proxy.toServer = () => 'pass'
    proxy.toClient = () => 'pass'
    runs = 0
  })
  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close()))
    proxy.close()
    await postgres.stop()
  })

  const isThere = async (name: string) => (await admin.select().from(marks).where(sql`name = ${name}`)).length === 1
  type Options = Partial<AppOptions<typeof pkgIds, typeof routes, { MARKED: typeof marked }>>
  const start = (options: Options = {}, url = postgres.url, pool: object = {}) =>
    createTestApp(
      {
        defaultAccess: 'public',
        plugins: [database({ url, pool })],
        ...options,
        pkgIds,
        routes,
        events: { MARKED: marked },
      },
      { transport: 'uws', leftovers: 'allow' },
    )
  type App = Awaited<ReturnType<typeof start>>
  const ask = async (app: App, wire: 'call' | 'http', route: Name, name: string): Promise<string> => {
    const client = await app.client()
    return client[wire](route, { name }).then(
      () => 'ok',
      (error: CallError) => error.code,
    )
  }
  const figure = (app: App, name: string, label: string): number => {
    const family = app.app.instruments.families().find((each) => each.name === name)
    const cell = family?.cells.find(({ labels }) => Object.values(labels).includes(label))?.cell
    return cell !== undefined && 'value' in cell ? cell.value : Number.NaN
  }
  const activity = async (where: SQL): Promise<number> => {
    const [row] = await admin
      .select({ n: sql<number>`count(*)::int` })
      .from(sql`pg_stat_activity`)
      .where(sql`datname = current_database() and pid <> pg_backend_pid() and ${where}`)
    return row?.n ?? 0
  }
  const commits = () => activity(sql`query = 'commit' and state = 'active'`)
  const warnings = (app: App) => app.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)

  describe('a deadline', () => {
    let app: App
    beforeAll(async () => {
      app = await start()
    })
    afterAll(() => app.close())

    test.each(wires)('that passes during COMMIT waits for it: a success is one, by %s', async (wire) => {
      const listener = await app.client()
      const name = `slow-${wire}`
      expect(await ask(app, wire, 'WRITE', name)).toBe('ok')
      expect(await isThere(name)).toBe(true)
      expect(await listener.nextEvent('MARKED')).toEqual({ name })
    })

    test.each(wires)('that passes during a COMMIT which fails: the answer says why, by %s', async (wire) => {
      const name = `bad-${wire}`
      expect(await ask(app, wire, 'WRITE', name)).toBe('database_error')
      expect(await isThere(name)).toBe(false)
    })

    test.each(wires)('that passes during a write of its own cancels it, and says so, by %s', async (wire) => {
      const name = `late-${wire}`
      expect(await ask(app, wire, 'WRITE_ALONE', name)).toBe('deadline_exceeded')
      expect(await isThere(name)).toBe(false)
    })

    test.each(wires)(
      'that passes after something was committed is not answered with "not done", by %s',
      async (wire) => {
        expect(await ask(app, wire, 'WRITE_THEN_WAIT', `one-${wire}`)).toBe('outcome_unknown')
        expect(await isThere(`one-${wire}`)).toBe(true)
        expect(await ask(app, wire, 'WRITE_TWICE', `two-${wire}`)).toBe('outcome_unknown')
        expect([await isThere(`two-${wire}-1`), await isThere(`two-${wire}-2`)]).toEqual([true, false])
      },
    )

    test.each(wires)('that passes during several writes at once waits for each of them, by %s', async (wire) => {
      expect(await ask(app, wire, 'SIDE_BY_SIDE', wire)).toBe('outcome_unknown')
      const there = await Promise.all([`${wire}-1`, `late-${wire}-2`, `late-${wire}-3`].map(isThere))
      expect(there).toEqual([true, false, false])
      expect(await ask(app, wire, 'SIDE_BY_SIDE', `late-${wire}`)).toBe('deadline_exceeded')
      expect(await isThere(`late-${wire}-1`)).toBe(false)
    })

    test.each(wires)(
      'that passes during COMMIT leaves the interceptors outside of it their work, by %s',
      async (wire) => {
        expect(await ask(app, wire, 'AUDITED', `slow-audited-${wire}`)).toBe('ok')
        const [row] = await admin
          .select({ n: sql<number>`count(*)::int` })
          .from(marks)
          .where(sql`name like 'audit of %'`)
        expect(row?.n).toBe(wires.indexOf(wire) + 1)
      },
    )
  })

  describe('a COMMIT that takes longer than commitTimeoutMs', () => {
    let app: App
    beforeAll(async () => {
      app = await start({ commitTimeoutMs: 200 })
    })
    afterAll(() => app.close())

    test.each(wires)('is outcome_unknown, and its late success has its events, by %s', async (wire) => {
      const listener = await app.client()
      const name = `slow-unknown-${wire}`
      const before = figure(app, 'app_late_outcomes_total', 'succeeded')
      expect(await ask(app, wire, 'WRITE', name)).toBe('outcome_unknown')
      expect(await listener.nextEvent('MARKED')).toEqual({ name })
      expect(await isThere(name)).toBe(true)
      await expect.poll(() => figure(app, 'app_late_outcomes_total', 'succeeded')).toBe(before + 1)
      expect(warnings(app)).toContain('A call that was answered with outcome_unknown has succeeded')
    })

    test('is 504 and ERROR, and not to be tried again', async () => {
      const answer = await app.request('POST /write', { json: { name: 'slow-status' } })
      expect([answer.status, answer.json()]).toEqual([
        504,
        { error: { code: 'outcome_unknown', msg: 'It is not known whether this was done', details: null } },
      ])
      const client = await app.client()
      await expect(client.call('WRITE', { name: 'slow-status-2' })).rejects.toMatchObject({
        code: 'outcome_unknown',
        rspCode: 1,
        httpStatus: 504,
      })
    })

    test.each(wires)('and a late failure is logged and counted, by %s', async (wire) => {
      const app = await start({ commitTimeoutMs: 1, deadlineMs: 1000 })
      try {
        expect(await ask(app, wire, 'RETRY', `bad-unknown-${wire}`)).toBe('outcome_unknown')
        await expect.poll(() => figure(app, 'app_late_outcomes_total', 'failed'), { timeout: 15_000 }).toBe(1)
        expect(warnings(app)).toContain('A call that was answered with outcome_unknown has failed')
        expect(await isThere(`bad-unknown-${wire}`)).toBe(false)
        expect(runs).toBe(1)
      } finally {
        await app.close()
      }
    })

    test.each(wires)(
      'an effect of a call without a transaction runs when its handler succeeds, by %s',
      async (wire) => {
        const listener = await app.client()
        const name = `effect-${wire}`
        expect(await ask(app, wire, 'ALONE_THEN_EFFECT', name)).toBe('outcome_unknown')
        expect(await listener.nextEvent('MARKED')).toEqual({ name })
      },
    )
  })

  describe('a client that leaves during COMMIT', () => {
    test.each(wires)('costs neither the row nor the event, by %s', async (wire) => {
      const app = await start()
      try {
        const listener = await app.client()
        const name = `slow-left-${wire}`
        const leave = new AbortController()
        const client = await app.client()
        const left =
          wire === 'call'
            ? client.call('WRITE', { name })
            : fetch(`http://127.0.0.1:${app.address.port}/write`, {
                method: 'POST',
                headers: { 'content-type': 'application/json' },
                body: JSON.stringify({ name }),
                signal: leave.signal,
              })
        const ended = left.then(
          () => 'answered',
          () => 'left',
        )
        await expect.poll(commits, { timeout: 15_000 }).toBe(1)
        if (wire === 'call') client.terminate()
        else leave.abort()
        expect(await ended).toBe('left')
        expect(await listener.nextEvent('MARKED')).toEqual({ name })
        expect(await isThere(name)).toBe(true)
      } finally {
        await app.close()
      }
    })
  })

  describe('a connection that is lost', () => {
    let app: App
    beforeAll(async () => {
      app = await start({}, proxy.url)
    })
    afterAll(() => app.close())
    const isCommit = (bytes: Buffer) => bytes.includes('commit\0')
    /** Lets the server do it, and cuts before its answer. */
    const cutAnswerTo = (has: (bytes: Buffer) => boolean) => {
      let isSent = false
      proxy.toServer = (bytes) => {
        isSent ||= has(bytes)
        return 'pass'
      }
      proxy.toClient = () => (isSent ? 'cut' : 'pass')
    }

    test.each(wires)("before COMMIT's answer: outcome_unknown, and the row is there, by %s", async (wire) => {
      cutAnswerTo(isCommit)
      expect(await ask(app, wire, 'WRITE', `answer-${wire}`)).toBe('outcome_unknown')
      await expect.poll(() => isThere(`answer-${wire}`), { timeout: 15_000 }).toBe(true)
    })

    test.each(wires)('with the COMMIT on its way: outcome_unknown, and the row does not exist, by %s', async (wire) => {
      proxy.toServer = (bytes) => (isCommit(bytes) ? 'cut' : 'pass')
      expect(await ask(app, wire, 'WRITE', `way-${wire}`)).toBe('outcome_unknown')
      expect(await isThere(`way-${wire}`)).toBe(false)
    })

    test.each(wires)('before COMMIT was sent: unavailable, by %s', async (wire) => {
      cutAnswerTo((bytes) => bytes.includes('insert into'))
      expect(await ask(app, wire, 'WRITE', `before-${wire}`)).toBe('unavailable')
      expect(await isThere(`before-${wire}`)).toBe(false)
    })

    test.each(wires)('during a write of its own: outcome_unknown, by %s', async (wire) => {
      for (const [route, word] of [
        ['WRITE_ALONE', 'insert into'],
        ['SELECT_WRITES', 'add_mark'],
        ['CTE_WRITES', 'insert into'],
      ] as const) {
        proxy.toServer = () => 'pass'
        proxy.toClient = () => 'pass'
        expect(await ask(app, wire, route, `warm-${route}-${wire}`)).toBe('ok')
        // Prepared by now: one message has it all.
        cutAnswerTo((bytes) => bytes.includes(`cut-${route}-${wire}`) || bytes.includes(word))
        expect(await ask(app, wire, route, `cut-${route}-${wire}`)).toBe('outcome_unknown')
        await expect.poll(() => isThere(`cut-${route}-${wire}`), { timeout: 15_000 }).toBe(true)
      }
    })

    test.each(wires)('while a write was described and not yet executed: unavailable, by %s', async (wire) => {
      const name = `described-${wire}`
      const fresh = await start({}, proxy.url)
      try {
        expect(await ask(fresh, wire, 'READ', name)).toBe('ok')
        cutAnswerTo((bytes) => bytes.includes('insert into'))
        expect(await ask(fresh, wire, 'WRITE_ALONE', name)).toBe('unavailable')
        expect(await isThere(name)).toBe(false)
      } finally {
        await fresh.close()
      }
    })

    test.each(wires)('during a read: unavailable, by %s', async (wire) => {
      expect(await ask(app, wire, 'READ', 'x')).toBe('ok')
      cutAnswerTo((bytes) => bytes.includes('count(*)') || bytes.includes('cut'))
      expect(await ask(app, wire, 'READ', 'cut')).toBe('unavailable')
    })

    test.each(wires)('is never repeated by retries, by %s', async (wire) => {
      cutAnswerTo(isCommit)
      expect(await ask(app, wire, 'RETRY', `retry-${wire}`)).toBe('outcome_unknown')
      expect(runs).toBe(1)
    })

    test('is told to a transaction of no call too', async () => {
      const api = await boot(proxy.url)
      cutAnswerTo(isCommit)
      await expect(api.transaction((tx) => write(tx, 'unknown'), { retries: 3 })).rejects.toMatchObject({
        code: 'outcome_unknown',
      })
      cutAnswerTo(isCommit)
      await expect(api.db.transaction((tx) => write(tx, 'unknown 2'))).rejects.toMatchObject({
        code: 'outcome_unknown',
      })
      cutAnswerTo(isCommit)
      // Nothing that it did can be lost.
      await expect(api.transaction((tx) => tx.select().from(marks))).rejects.toMatchObject({ code: 'unavailable' })
    })
  })

  test.each([true, false])(
    'a statement timeout does not cancel a COMMIT, behind a PgBouncer: %s',
    async (pgBouncer) => {
      const app = await start({}, postgres.url, { pgBouncer, statementTimeoutMs: 300 })
      try {
        const name = `slow-timeout-${pgBouncer}`
        expect(await ask(app, 'call', 'WRITE', name)).toBe('ok')
        expect(await isThere(name)).toBe(true)
      } finally {
        await app.close()
      }
    },
  )

  test.each(wires)('a drain that is over waits for a COMMIT that was sent, by %s', async (wire) => {
    const app = await start({ drainTimeoutMs: 2000, commitTimeoutMs: 1900, deadlineMs: 0 })
    const name = `slow-drain-${wire}`
    const answer = ask(app, wire, 'RETRY', name)
    await expect.poll(commits, { timeout: 15_000 }).toBe(1)
    // Two seconds of the drain, then up to 1.9 of the COMMIT's: it takes 3.
    await app.app.close()
    expect(['ok', 'outcome_unknown']).toContain(await answer)
    await expect.poll(() => isThere(name), { timeout: 15_000 }).toBe(true)
    await app.close()
  })

  describe('the ledger', () => {
    /** What was answered, by the name that was written. */
    let answers: Map<string, string>
    const record = async (app: App, wire: 'call' | 'http', route: Name, name: string) => {
      answers.set(name, await ask(app, wire, route, name).catch(() => 'no answer'))
    }
    const expectTruth = async (allowed: readonly string[]) => {
      await expect.poll(() => activity(sql`state = 'active'`), { timeout: 15_000 }).toBe(0)
      const there = new Set((await admin.select().from(marks)).map(({ name }) => name))
      const isTrue = (name: string, answer: string) =>
        answer === 'outcome_unknown' || (answer === 'ok') === there.has(name)
      expect([...answers].filter(([name, answer]) => !isTrue(name, answer))).toEqual([])
      expect([...new Set(answers.values())].filter((answer) => !allowed.includes(answer))).toEqual([])
    }
    const count = (answer: string) => [...answers.values()].filter((each) => each === answer).length
    beforeEach(() => {
      answers = new Map()
    })

    test('of a drain: 400 writes on both wires', async () => {
      const app = await start({ drainTimeoutMs: 600, drainSpreadMs: 200, commitTimeoutMs: 500 })
      const work = Array.from({ length: 400 }, (_, index) =>
        record(
          app,
          index % 2 === 0 ? 'call' : 'http',
          index % 3 === 0 ? 'WRITE_ALONE' : 'RETRY',
          `${index % 20 === 0 ? 'slow' : 'short'}-drained-${index}`,
        ),
      )
      await expect.poll(() => count('ok'), { timeout: 15_000 }).toBeGreaterThan(20)
      await app.app.close()
      await Promise.all(work)
      await expectTruth(['ok', 'unavailable', 'deadline_exceeded', 'outcome_unknown', 'no answer'])
      expect(count('ok')).toBeGreaterThan(20)
      expect(count('unavailable')).toBeGreaterThan(20)
      await app.close()
    })

    test('of deadlines that pass at any moment of a write', async () => {
      const app = await start({ deadlineMs: 60 })
      for (let round = 0; round < 10; round += 1) {
        const work = Array.from({ length: 30 }, (_, index) =>
          record(
            app,
            index % 2 === 0 ? 'call' : 'http',
            index % 3 === 0 ? 'QUICK_ALONE' : 'RETRY',
            `short-deadline-${round}-${index}`,
          ),
        )
        await Promise.all(work)
      }
      await expectTruth(['ok', 'deadline_exceeded', 'outcome_unknown'])
      expect(count('deadline_exceeded')).toBeGreaterThan(0)
      await app.close()
    })

    test('of connections that are cut at any moment of a write', async () => {
      const app = await start({}, proxy.url)
      let done = false
      const routesOf = ['RETRY', 'WRITE_ALONE', 'SELECT_WRITES', 'CTE_WRITES'] as const
      const workers = Array.from({ length: 12 }, async (_, worker) => {
        for (let turn = 0; !done; turn += 1) {
          const route = routesOf[turn % routesOf.length] ?? 'RETRY'
          await record(app, worker % 2 === 0 ? 'call' : 'http', route, `short-cut-${worker}-${turn}`)
        }
      })
      // What a cut meets is a matter of chance: at least 60, and on until one has met a write on its way. The longer it takes the rarer
      // they come, so that a slow machine gets to write at all.
      const hasMet = () => ['ok', 'outcome_unknown'].every((answer) => count(answer) > 0)
      const until = Date.now() + 90_000
      for (let cuts = 0; cuts < 60 || (Date.now() < until && !hasMet()); cuts += 1) {
        await setTimeout(10 + Math.random() * (60 + cuts))
        proxy.cut()
      }
      done = true
      await Promise.all(workers)
      // A deadline passes where a busy machine got no connection for its length.
      await expectTruth(['ok', 'unavailable', 'outcome_unknown', 'deadline_exceeded'])
      expect(hasMet()).toBe(true)
      await app.close()
    }, 120_000)
  })
})

describe('on PGlite, where nothing can be cancelled', () => {
  test.each(wires)(
    'a deadline that passes during COMMIT or a write of its own: the answer is the truth, by %s',
    async (wire) => {
      let handle: Database | undefined
      const burn = 'perform count(*) from generate_series(1, 1500000);'
      const app = await createTestApp(
        {
          defaultAccess: 'public',
          deadlineMs: 100,
          pkgIds,
          routes,
          events: { MARKED: marked },
          plugins: [
            database({
              url: 'pglite://memory',
              onStart: async (db) => {
                handle = db
                await db.execute(sql`create table marks (name text primary key)`)
                await db.execute(
                  sql.raw(
                    `create function burn() returns trigger language plpgsql as $$ begin ${burn} return new; end $$`,
                  ),
                )
                await db.execute(sql`create constraint trigger burn after insert on marks deferrable initially deferred
                  for each row execute function burn()`)
              },
            }),
          ],
        },
        { transport: 'uws', leftovers: 'allow' },
      )
      try {
        const client = await app.client()
        for (const route of ['RETRY', 'QUICK_ALONE'] as const) {
          const answer = await client[wire](route, { name: route }).then(
            () => 'ok',
            (error: CallError) => error.code,
          )
          const rows = await handle?.select().from(marks).where(sql`name = ${route}`)
          expect([route, answer, rows?.length]).toEqual([
            route,
            ...(answer === 'ok' ? ['ok', 1] : ['deadline_exceeded', 0]),
          ])
        }
      } finally {
        await app.close()
      }
    },
    // It computes, in this process.
    120_000,
  )
})
