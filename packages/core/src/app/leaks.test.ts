import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallOutcome } from '../call/call-outcome.ts'
import { route } from '../index.ts'
import type { DisconnectOutcome } from '../plugin.ts'
import { codeOf, nextJson, packet, plugin, type ReplyFrame, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

/** Numbers that look random and are the same in every run: a failure can be run again. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('after 2,000 calls with aborts in between', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('hub, running calls and timers are back to nothing, and every call was reported once', async () => {
      const random = sequence(4711)
      const clock = createVirtualClock()
      const outcomes = new Map<object, CallOutcome[]>()
      const ends: DisconnectOutcome[] = []
      let aborted = 0
      const pending = new Set<() => void>()
      const work = (input: { n: number }, call: { readonly signal: AbortSignal }) => {
        if (input.n % 3 === 0) return input
        if (input.n % 7 === 0) throw new Error('a failure in between')
        return new Promise<{ n: number }>((resolve) => {
          pending.add(() => resolve(input))
          call.signal.addEventListener('abort', () => aborted++)
        })
      }
      const input = v.object({ n: v.number() })
      const { connect, raw, app } = await start({
        clock,
        pkgIds: { WORK: 1, ORDERED: 2, JOIN: 3 },
        routes: {
          WORK: route({ http: 'GET /work/:n', input, handler: work }),
          ORDERED: route({ input, ordered: true, handler: work }),
          JOIN: route({
            handler: async (_input, call) => {
              await call.connection?.join('all')
              return null
            },
          }),
        },
        topics: { all: { authorize: () => true } },
        websocket: { idleTimeoutSeconds: 0 },
        plugins: [
          plugin((host) => {
            host.onCall((call) => void outcomes.set(call, []))
            host.onReply((call, outcome) => void outcomes.get(call)?.push(outcome))
            host.onDisconnect((_connection, outcome) => void ends.push(outcome))
          }),
        ],
      })
      const answered = (): number => [...outcomes.values()].filter(({ length }) => length > 0).length
      let sockets = 0
      for (let made = 0; made < 2000; ) {
        const socket = await connect()
        sockets++
        socket.send(packet(3))
        for (let i = 0; i < 16; i++) socket.send(packet(1 + (i % 2), { n: ++made }))
        const leave = new AbortController()
        const requests = Array.from({ length: 4 }, () =>
          raw.request({ method: 'GET', path: `/work/${++made}`, signal: leave.signal }).catch(() => null),
        )
        if (random() < 0.5) await until(() => pending.size > 3)
        if (random() < 0.3) {
          for (const finish of pending) finish()
          pending.clear()
        }
        if (random() < 0.2) await clock.advance(30_000)
        leave.abort(new Error('left'))
        if (random() < 0.5) socket.terminate()
        else socket.close(1000)
        await Promise.all(requests)
        await until(() => ends.length === sockets)
      }
      for (const finish of pending) finish()
      // A request that was cut on its way may still arrive: it is over when nothing comes any more.
      await until(() => answered() === outcomes.size)
      await clock.advance(30_000)
      await until(() => answered() === outcomes.size)
      expect([...outcomes.values()].every(({ length }) => length === 1)).toBe(true)
      expect(outcomes.size).toBeGreaterThan(1000)
      expect(aborted).toBeGreaterThan(100)
      expect([app.hub.size, app.hub.topicSize('all')]).toEqual([0, 0])
      const active = app.instruments.families().find(({ name }) => name === 'ws_connections_active')
      expect(active?.cells[0]?.cell).toMatchObject({ value: 0 })
      expect(clock.pendingTimers).toBe(0)
      // Nothing is in flight: the app closes without waiting.
      await app.close()
      expect(clock.pendingTimers).toBe(0)
    }, 60_000)

    it('a connection still answers everything that it was sent', async () => {
      const { connect } = await start({
        pkgIds: { WORK: 1 },
        routes: { WORK: route({ input: v.object({ n: v.number() }), handler: async ({ n }) => n }) },
        websocket: { maxInFlight: 5000 },
      })
      const socket = await connect()
      for (let n = 0; n < 2000; n++) socket.send(n % 5 === 0 ? 'x' : packet(1, { n }))
      const codes: (string | number)[] = []
      for (let n = 0; n < 2000; n++) {
        const reply: ReplyFrame = await nextJson(socket)
        codes.push(reply.status_code === 0 ? 'ok' : codeOf(reply))
      }
      expect(codes.filter((code) => code === 'ok')).toHaveLength(1600)
      expect(codes.filter((code) => code === 'malformed_request')).toHaveLength(400)
    })
  })
})
