import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallOutcome } from '../call/call-outcome.ts'
import { type Connection, event, route } from '../index.ts'
import type { DisconnectOutcome } from '../plugin.ts'
import { deferred, packet, plugin, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const tick = event({ data: v.object({ n: v.number(), pad: v.string() }) })
const pad = 'x'.repeat(16 * 1024)

function options(ends: DisconnectOutcome[], outcomes: CallOutcome[] = [], connections: Connection[] = []) {
  const big = deferred()
  const waiting = deferred()
  return {
    big,
    waiting,
    given: {
      clock: createVirtualClock(),
      pkgIds: { BIG: 1, TICK: 100 },
      routes: {
        BIG: route({
          handler: async (_input, call) => {
            await call.connection?.join('ticks')
            waiting.resolve()
            await big.promise
            return pad.repeat(200)
          },
        }),
      },
      events: { TICK: tick },
      topics: { ticks: { authorize: () => true } },
      websocket: { maxBackpressureBytes: 64 * 1024, idleTimeoutSeconds: 0 },
      plugins: [
        plugin((host) => {
          host.onConnect((connection) => void connections.push(connection))
          host.onDisconnect((_connection, outcome) => void ends.push(outcome))
          host.onReply((_call, outcome) => void outcomes.push(outcome))
        }),
      ],
    },
  } as const
}

describe('a client that does not read', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is cut at the first drop: 1013 here, 1013 or 1006 there, out of hub and topics at once, and no gap', async () => {
      const ends: DisconnectOutcome[] = []
      const { given, waiting } = options(ends)
      const { connect, app } = await start(given)
      const slow = await connect()
      slow.send(packet(1))
      await waiting.promise
      slow.pause()
      expect(app.hub.topicSize('ticks')).toBe(1)
      let sent = 0
      // The system takes some megabytes before the limit is felt.
      while (ends.length === 0 && sent < 20_000) {
        void app.hub.publish('ticks', tick, { n: sent++, pad })
        if (ends.length > 0) expect([app.hub.size, app.hub.topicSize('ticks')]).toEqual([0, 0])
        if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(ends).toEqual([{ code: 1013, reason: 'Too slow', admitted: true }])
      void app.hub.publish('ticks', tick, { n: -1, pad })
      void app.hub.broadcast(tick, { n: -1, pad })
      slow.resume()
      // It takes what is queued in time, or is cut 5 s later.
      const closed = await slow.closed
      expect([1006, 1013]).toContain(closed.code)
      const numbers = slow.frames.map(({ data }) => (JSON.parse(String(data)) as { data: { n: number } }).data.n)
      expect(numbers).toEqual(numbers.map((_n, i) => i))
      expect(numbers.length).toBeLessThan(sent)
      const closes = app.instruments.families().find(({ name }) => name === 'ws_closes_total')
      expect(closes?.cells.find(({ labels }) => labels.code === '1013')?.cell).toMatchObject({ value: 1 })
      expect(ends).toHaveLength(1)
    })

    it('and takes nothing at all is cut after 5 s', async () => {
      const ends: DisconnectOutcome[] = []
      const { given, waiting } = options(ends)
      const { connect, app } = await start(given)
      const slow = await connect()
      slow.send(packet(1))
      await waiting.promise
      slow.pause()
      for (let n = 0; ends.length === 0 && n < 20_000; n++) {
        void app.hub.publish('ticks', tick, { n, pad })
        if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await given.clock.advance(5000)
      slow.resume()
      expect((await slow.closed).code).toBe(1006)
    })

    it('has its own reply dropped once, and the call is reported once, as aborted', async () => {
      const ends: DisconnectOutcome[] = []
      const outcomes: CallOutcome[] = []
      const connections: Connection[] = []
      const { given, big, waiting } = options(ends, outcomes, connections)
      const { connect, app } = await start(given)
      const slow = await connect()
      slow.send(packet(1))
      await waiting.promise
      slow.pause()
      // Up to the limit and not past it: the reply is what crosses it.
      for (let n = 0; n < 20_000 && ends.length === 0; n++) {
        void app.hub.publish('ticks', tick, { n, pad })
        if ((connections[0]?.bufferedBytes ?? 0) > 64 * 1024) break
        if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(ends).toEqual([])
      big.resolve()
      await until(() => outcomes.length > 0)
      await new Promise((resolve) => setImmediate(resolve))
      expect(outcomes).toMatchObject([{ aborted: true, error: null }])
      expect(ends).toMatchObject([{ code: 1013 }])
    })
  })
})
