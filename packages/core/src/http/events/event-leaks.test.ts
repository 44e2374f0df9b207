import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { defineTopics, event, reply, route } from '../../index.ts'
import type { DisconnectOutcome } from '../../plugin.ts'
import { plugin, until } from '../../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../../testing.ts'

/** Numbers that look random and are the same in every run: a failure can be run again. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const counts = { memory: 10_000, uws: 600 } as const
const atOnce = 200

describe('readers of server-sent events that leave at random times', () => {
  onTransports({ describe, afterEach }, ({ start, transport }) => {
    it(`leave nothing behind, ${counts[transport]} of them`, async () => {
      const random = sequence(1977)
      const clock = createVirtualClock()
      const tick = event({ data: v.object({ n: v.number() }) })
      const open = { sources: 0, connections: 0 }
      const ends: DisconnectOutcome[] = []
      let waiting: (() => void)[] = []
      const step = (): void => {
        const woken = waiting
        waiting = []
        for (const wake of woken) wake()
      }
      async function* source(signal: AbortSignal) {
        open.sources++
        try {
          signal.addEventListener('abort', step, { once: true })
          for (let n = 0; !signal.aborted && n < 20; n++) {
            yield { id: String(n), data: { n } }
            await new Promise<void>((resolve) => waiting.push(resolve))
          }
        } finally {
          open.sources--
        }
      }
      const app = await start({
        clock,
        pkgIds: { TICK: 1 },
        routes: {},
        events: { TICK: tick },
        topics: defineTopics({
          'ticks:{n}': {
            history: { size: 10, ttl: '1m' },
            // Some wait for it, and may leave meanwhile.
            authorize: (_identity, topic) =>
              topic === 'ticks:0' ? true : new Promise((resolve) => waiting.push(() => resolve(true))),
          },
        }),
        endpoints: [
          route({
            http: 'GET /topic/:n',
            input: v.object({ n: v.string() }),
            handler: ({ n }) => reply.events({ topic: `ticks:${n}` }),
          }),
          route({ http: 'GET /source', handler: (_input, { signal }) => reply.events(source(signal)) }),
        ],
        plugins: [
          plugin((host) => {
            host.onConnect(() => void open.connections++)
            host.onDisconnect((_connection, outcome) => {
              open.connections--
              ends.push(outcome)
            })
          }),
        ],
      })
      const { hub, instruments } = app.app
      const read = async (signal: AbortSignal, i: number): Promise<void> => {
        const path = i % 2 === 0 ? '/source' : `/topic/${i % 3 === 0 ? 1 : 0}`
        const headers = { 'last-event-id': i % 5 === 0 ? 'x:1' : '' }
        const { body } = await app.raw.stream({ method: 'GET', path, headers, signal })
        for await (const _chunk of body) if (signal.aborted) return
      }
      const total = counts[transport]
      for (let made = 0; made < total; made += atOnce) {
        const leaving = Array.from({ length: atOnce }, () => new AbortController())
        const reading = leaving.map(({ signal }, i) => read(signal, made + i).catch(() => {}))
        while (leaving.length > 0) {
          for (const one of leaving.splice(0, Math.ceil(random() * 40))) one.abort(new Error('left'))
          if (random() < 0.5) await new Promise((resolve) => setImmediate(resolve))
          if (random() < 0.3) for (const n of [0, 1]) void hub.publish(`ticks:${n}`, tick, { n: made })
          if (random() < 0.3) step()
          if (random() < 0.05) await clock.advance(20_000)
        }
        await Promise.all(reading)
      }
      await until(() => {
        step()
        return open.connections === 0 && open.sources === 0
      })
      expect(ends.length).toBeGreaterThan(total / 10)
      await clock.advance(60_000)
      expect([hub.size, hub.topicSize('ticks:0'), hub.topicSize('ticks:1')]).toEqual([0, 0, 0])
      const active = instruments.families().find(({ name }) => name === 'sse_connections_active')
      expect(active?.cells[0]?.cell).toMatchObject({ value: 0 })
      expect(clock.pendingTimers).toBe(0)
      await app.app.close()
      expect(clock.pendingTimers).toBe(0)
    }, 120_000)
  })
})
