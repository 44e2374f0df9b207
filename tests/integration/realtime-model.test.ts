// The order guarantee on a real Redis: publishing, subscribing, leaving and resuming on two nodes while connections are killed, nodes end and
// others take their place, and Redis is emptied.
import { setTimeout } from 'node:timers/promises'
import { redisBroker } from '@twinwire/broker-redis'
import fc from 'fast-check'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createRealtimeNodes, eventually, positionOf } from '../support/realtime-nodes.ts'
import { hasRedisBinary, startRedisServer } from '../support/redis-server.ts'

vi.setConfig({ testTimeout: 240_000 })

// Each run of the suite plays the same; other seeds by MODEL_SEED.
const seed = Number(process.env.MODEL_SEED ?? 9)
const runs = 50
const index = fc.nat({ max: 11 })
const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('publish' as const), node: index, count: fc.nat({ max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('return' as const), who: index, node: index }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('subscribe' as const), who: index }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('leave' as const), who: index }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('kill' as const), type: fc.constantFrom('pubsub', 'normal') }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('replace' as const), node: index }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('empty' as const) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('settle' as const) }) },
)

it.skipIf(!hasRedisBinary())(`the order guarantee holds in ${runs} runs on a real Redis (seed ${seed})`, async () => {
  const server = await startRedisServer()
  onTestFinished(() => server.stop())
  const admin = server.client()
  onTestFinished(() => admin.disconnect())
  const world = createRealtimeNodes()
  onTestFinished(() => world.close())
  const history = { size: 20, ttlMs: 60_000 }
  const startNode = () => world.start(redisBroker({ url: server.url, history }))
  const nodes = [await startNode(), await startNode()]
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 40, size: 'max' }), async (operations) => {
      // A stream of its own for each run.
      const stream = `:run${++run}`
      const nodeAt = (i: number) => nodes[i % nodes.length] as (typeof nodes)[0]
      const clients = [0, 1, 0, 1].map((i) => world.connect(nodeAt(i)))
      const at = (i: number) => i % clients.length
      const pending: Promise<unknown>[] = []
      const subscribe = (i: number, since: ReturnType<typeof positionOf>): void => {
        const client = clients[i]
        if (client !== undefined) pending.push(world.subscribe(client, stream, since).catch(() => undefined))
      }
      for (const i of clients.keys()) subscribe(i, null)
      for (const each of operations) {
        if (each.op === 'publish')
          for (let i = 0; i <= each.count; i++)
            pending.push(world.publish(nodeAt(each.node), stream).catch(() => undefined))
        else if (each.op === 'return') {
          const old = clients[at(each.who)]
          if (old === undefined) continue
          const since = positionOf(old, stream)
          old.end()
          clients[at(each.who)] = world.connect(nodeAt(each.node))
          subscribe(at(each.who), since)
        } else if (each.op === 'subscribe') {
          const client = clients[at(each.who)]
          if (client !== undefined) subscribe(at(each.who), positionOf(client, stream))
        } else if (each.op === 'leave') {
          const client = clients[at(each.who)]
          if (client === undefined) continue
          world.leave(client, stream)
        } else if (each.op === 'replace') {
          const gone = nodeAt(each.node)
          nodes[each.node % nodes.length] = await startNode()
          for (const [i, old] of clients.entries()) {
            if (!gone.connections.has(old)) continue
            const since = positionOf(old, stream)
            old.end()
            clients[i] = world.connect(nodeAt(each.node + i))
            subscribe(i, since)
          }
          await gone.hub.close()
        } else if (each.op === 'kill') await admin.call('CLIENT', 'KILL', 'TYPE', each.type, 'SKIPME', 'yes')
        else if (each.op === 'empty') await admin.flushall()
        else await Promise.all(pending)
      }
      await Promise.all(pending)
      // Every client is a member at the end.
      for (const i of clients.keys()) subscribe(i, null)
      await Promise.all(pending)
      // The first ones after a loss may be told as a gap.
      await eventually(async () => {
        const last = await world.publish(nodeAt(0), stream)
        const has = ({ seen }: (typeof clients)[0]): boolean =>
          seen.some((each) => each.kind === 'event' && each.n === last)
        for (let i = 0; i < 50 && !clients.every(has); i++) await setTimeout(5)
        return clients.every(has)
      }, 'a last publication arrives')
      world.check()
      for (const client of clients) client.end()
      for (const { errors } of nodes) expect(errors).toEqual([])
    }),
    { numRuns: runs, seed, endOnFailure: true },
  )
})
