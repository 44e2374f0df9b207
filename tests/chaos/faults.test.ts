// Everything happens to two nodes under load: each part is killed, frozen and cut off, alone and with others. A ledger compares what clients were
// answered with rows, publications and what subscribers received. CHAOS_ROUNDS and CHAOS_SEED are in the environment.
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { type AnyApp, type Client, createClient } from '@twinwire/client'
import { createTestIssuer, type TestIssuer } from '@twinwire/plugin-auth/testing'
import postgres from 'postgres'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Random } from '../differential/random.ts'
import { type BuiltApp, buildApp } from '../support/built-app.ts'
import { compareOrder, FaultsLedger } from '../support/chaos-faults-ledger.ts'
import { FaultsClient, FaultsNode } from '../support/chaos-faults-node.ts'
import { type Fault, faultKinds, planFaults } from '../support/chaos-faults-plan.ts'
import { faultsDdl, faultsPkgIds, type WriteInput, type WriteRoute, Written } from '../support/chaos-faults-shared.ts'
import type { ChaosWire } from '../support/chaos-node.ts'
import { isEmbeddedPostgresInstalled } from '../support/embedded-postgres.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { hasRedis } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const rounds = Number(process.env.CHAOS_ROUNDS ?? faultKinds.length + 4)
const topics = ['writes:0', 'writes:1', 'writes:2']
const clientCount = 8
const prefix = 'chaos:'

interface Observer {
  readonly client: Client<AnyApp>
  readonly proxy: TcpProxy
  readonly received: ReadonlyMap<string, (string | null)[]>
}

describe('the comparison of what was published and what was received', () => {
  test.each([
    [['a', 'b', 'c'], null],
    [['b', 'c'], null],
    [['a', null, 'c'], null],
    [['a', 'c'], 'b is missing before c, and that was not told'],
    [['a', 'b', 'b', 'c'], 'b came late, or twice'],
    [['a', 'b', null, 'a', 'c'], 'a came late, or twice'],
    [['a', 'b'], 'c is missing at the end'],
    [['a', 'x'], 'x was never published'],
  ])('%j: %s', (received, wrong) => {
    expect(compareOrder(['a', 'b', 'c'], received)).toBe(wrong)
  })
})

describe.skipIf(!isEmbeddedPostgresInstalled() || !(await hasRedis()))('two nodes', () => {
  let server: TestPostgres
  let redis: RedisServer
  let issuer: TestIssuer
  let app: BuiltApp
  let nodes: readonly [FaultsNode, FaultsNode]
  const observers: Observer[] = []
  const archive = new Archive()

  beforeAll(async () => {
    server = await startPostgres({ own: true })
    redis = await startRedisServer({ appendonly: 'yes', appendfsync: 'always' })
    issuer = await createTestIssuer({ users: [{ username: 'ada' }] })
    const query = postgres(server.url, { max: 1, onnotice: () => {} })
    await query.unsafe(faultsDdl)
    await query.end()
    app = await buildApp('chaos-faults-app.ts')
    const start = (name: string) =>
      FaultsNode.start(
        name,
        app,
        { database: server.url, broker: redis.url },
        { PREFIX: prefix, ISSUER: issuer.issuer },
      )
    nodes = [await start('node-0'), await start('node-1')]
    for (const node of nodes) observers.push(await observe(node))
  }, 120_000)
  afterAll(async () => {
    for (const { client, proxy } of observers) {
      client.close()
      await proxy.close()
    }
    for (const node of nodes ?? []) await node.close()
    await app?.remove()
    await issuer?.stop()
    await redis?.stop()
    await server?.stop()
  }, 120_000)

  /** Our client, with a subscription to each topic, on one node at first. */
  const observe = async (node: FaultsNode): Promise<Observer> => {
    const proxy = await startTcpProxy(node.front.port)
    const client = createClient({
      url: `http://127.0.0.1:${proxy.port}`,
      pkgIds: faultsPkgIds,
      getToken: () => issuer.token('ada'),
      WebSocket,
      reconnect: { minMs: 20, maxMs: 300 },
      pingIntervalMs: 1000,
      pingTimeoutMs: 1000,
      connectTimeoutMs: 2000,
    })
    const received = new Map<string, (string | null)[]>()
    for (const topic of topics) {
      const list: (string | null)[] = []
      received.set(topic, list)
      const { ready } = client.subscribe(topic, {
        onEvent: ({ data }) => list.push(v.parse(Written, data).name),
        onGap: () => list.push(null),
      })
      await ready
    }
    return { client, proxy, received }
  }

  const begin = async (kind: Fault['kind'], node: FaultsNode): Promise<() => Promise<void> | void> => {
    switch (kind) {
      case 'nodeKilled':
        await node.end('SIGKILL')
        return () => node.restart()
      case 'nodeStopped':
        await node.end('SIGTERM')
        return () => node.restart()
      case 'nodeFrozen':
        node.signal('SIGSTOP')
        return () => node.signal('SIGCONT')
      case 'clientsCut':
        node.front.isRefusing = true
        node.front.cut()
        return () => {
          node.front.isRefusing = false
        }
      case 'clientsSlow':
        node.front.delayMs = 120
        return () => {
          node.front.delayMs = 0
        }
      case 'databaseKilled':
        await server.crash()
        return () => server.restart()
      case 'databaseFrozen':
        await server.pause()
        return () => server.resume()
      case 'databaseCut':
        node.database.isRefusing = true
        node.database.cut()
        return () => {
          node.database.isRefusing = false
        }
      case 'brokerKilled':
        await archive.keep(redis)
        await redis.crash()
        return () => redis.restart()
      case 'brokerFrozen':
        redis.freeze()
        return () => redis.thaw()
      case 'brokerCut':
        node.broker.isRefusing = true
        node.broker.cut()
        return () => {
          node.broker.isRefusing = false
        }
      case 'issuerStopped':
        await issuer.stop()
        return () => issuer.start()
      case 'issuerFrozen':
        issuer.setFault('certs', 'hang')
        issuer.setFault('discovery', 'hang')
        return () => issuer.clearFaults()
      case 'observersMoved':
        for (const { proxy } of observers) {
          proxy.target = node.front.port
          proxy.cut()
        }
        return () => {}
    }
  }

  test(
    'what was answered, what is stored, what is published and what was received are the same',
    async () => {
      console.info(`The same rounds again: CHAOS_ROUNDS=${rounds} CHAOS_SEED=${seed}`)
      const random = new Random(seed)
      const ledger = new FaultsLedger()
      let isOver = false
      let invisible = 0
      const token = (): string => issuer.token('ada')

      /** One write, until its answer is final where that can be had: a call of once() may be repeated. */
      const write = async (client: FaultsClient, own: Random, route: WriteRoute, input: WriteInput): Promise<void> => {
        const key = own.uuid()
        ledger.begin(route, input)
        for (let repeats = 0; repeats < 200; repeats += 1) {
          const node = own.pick(nodes)
          const wire: ChaosWire = own.pick(['ws', 'http'])
          let attempt: ReturnType<FaultsLedger['attempt']> | null = null
          const end = await client.write(node, wire, route, input, key, () => {
            attempt = ledger.attempt(input.name, wire, node.name)
          })
          if (attempt !== null && end !== null) ledger.end(attempt, end)
          const isFinal = end?.kind === 'answered' && !mayRepeat.has(end.code)
          if (isFinal && end.code === 'ok' && own.chance(0.2)) {
            const rows = await client.count(own.pick(nodes), input.name)
            if (rows === 0) invisible += 1
          }
          if (isFinal || (attempt !== null && route === 'WRITE')) return
          await setTimeout(own.int(20, 150))
        }
        throw new Error(`${route} ${input.name} has no final answer`)
      }
      const load = async (i: number): Promise<void> => {
        const own = Random.of(seed, i)
        const client = new FaultsClient(token)
        for (let n = 0; !isOver; n += 1) {
          const input = {
            name: `${i}-${n}`,
            topic: own.pick(topics),
            does: own.weighted({ succeed: 8, refuse: 1, fail: 1 }),
          }
          await write(client, own, own.pick(['WRITE', 'WRITE_ONCE']), input)
          await setTimeout(own.int(0, 30))
        }
        await client.close()
      }
      const play = async (fault: Fault): Promise<void> => {
        await setTimeout(fault.delayMs)
        const node = nodes[fault.node]
        ledger.fault(`${fault.kind} (${node.name}), for ${fault.lastsMs} ms`)
        const fix = await begin(fault.kind, node)
        await setTimeout(fault.lastsMs)
        await fix()
        ledger.fault(`${fault.kind} (${node.name}) is over`)
      }

      const loads = Promise.all(Array.from({ length: clientCount }, (_, i) => load(i)))
      const faults = async (): Promise<void> => {
        try {
          for (const round of planFaults(random, rounds)) {
            await Promise.all(round.map(play))
            await setTimeout(random.int(200, 800))
          }
        } finally {
          isOver = true
        }
      }
      await Promise.all([faults(), loads])

      // The last of each topic: what is published twice would be before it.
      const last = new FaultsClient(token)
      for (const topic of topics)
        await write(last, random, 'WRITE_ONCE', { name: `last of ${topic}`, topic, does: 'succeed' })
      await last.close()
      const query = postgres(server.url, { max: 1, onnotice: () => {} })
      const isSent = async (): Promise<boolean> => (await query`select id from twinwire_outbox`).length === 0
      await expect.poll(isSent, { timeout: 60_000 }).toBe(true)
      for (const { received } of observers)
        for (const topic of topics)
          await expect.poll(() => received.get(topic)?.at(-1), { timeout: 60_000 }).toBe(`last of ${topic}`)
      const rows = await query<{ name: string }[]>`select name from writes`
      await query.end()
      const figures = ledger.check({
        rows: rows.map(({ name }) => name),
        history: await archive.keep(redis),
        observed: observers.map(({ received }) => received),
      })
      console.info(`Figures: ${JSON.stringify(figures)}`)
      expect(invisible).toBe(0)
      expect(figures.done).toBeGreaterThan(100)
      expect(figures.notDone).toBeGreaterThan(10)
      expect(figures.closed).toBeGreaterThan(0)
    },
    120_000 + 10_000 * rounds,
  )
})

/** After these a call of once() is repeated: it may have been done, or could not be done now. */
const mayRepeat: ReadonlySet<string> = new Set([
  'outcome_unknown',
  'idempotency_in_progress',
  'deadline_exceeded',
  'unavailable',
  'service_unavailable',
])

/** All publications. A Redis that was restarted begins each history anew, since it may have lost the end of the one before, and subscribers are told. */
class Archive {
  readonly #kept = new Map<string, string[]>()

  /** Adds what Redis has, and stops writes: nothing comes after it until Redis is restarted. */
  async keep(redis: RedisServer): Promise<ReadonlyMap<string, readonly string[]>> {
    const client = redis.client()
    await client.call('CLIENT', 'PAUSE', 60_000, 'WRITE')
    for (const topic of topics) {
      const entries = await client.xrange(`${prefix}stream:{:${topic}}:history`, '-', '+')
      expect(entries.map(([id]) => id)).toEqual(entries.map((_, i) => `${i + 1}-0`))
      const names = entries.map(([, [, text = '']]) => v.parse(Written, JSON.parse(text)[2]).name)
      this.#kept.set(topic, [...(this.#kept.get(topic) ?? []), ...names])
    }
    client.disconnect()
    return this.#kept
  }
}
