// To so many connections that an event is given to the transport once.
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type Connection, event, route } from '../index.ts'
import type { DisconnectOutcome } from '../plugin.ts'
import type { RawSocket } from '../testing/raw-client.ts'
import { deferred, packet, plugin, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const tick = event({ data: v.object({ n: v.number(), pad: v.string() }) })

function options() {
  const connections: Connection[] = []
  const ends: (DisconnectOutcome & { readonly id: string })[] = []
  const onEnd = { run: (_id: string): void => {} }
  return {
    connections,
    ends,
    onEnd,
    given: {
      clock: createVirtualClock(),
      pkgIds: { JOIN: 1, SAY: 2, TICK: 100 },
      routes: {
        JOIN: route({
          handler: async (_input, call) => {
            await call.connection?.join('ticks')
            return null
          },
        }),
        SAY: route({
          input: v.object({ n: v.number(), size: v.number() }),
          handler: ({ n, size }, call) => {
            call.afterCommit(() => call.publish('ticks', tick, { n: n + 3, pad: '' }))
            call.publish('ticks', tick, { n, pad: 'x'.repeat(size) })
            call.publish('ticks', tick, { n: n + 1, pad: '' })
            return { n: n + 2 }
          },
        }),
      },
      events: { TICK: tick },
      topics: { ticks: { authorize: () => true, subscribe: true } },
      websocket: { maxBackpressureBytes: 128 * 1024, idleTimeoutSeconds: 0 },
      plugins: [
        plugin((host) => {
          host.onConnect((connection) => void connections.push(connection))
          host.onDisconnect(({ id }, outcome) => {
            ends.push({ id, ...outcome })
            onEnd.run(id)
          })
        }),
      ],
    },
  } as const
}

interface Meta {
  readonly topic: string
  readonly epoch: string
  readonly offset: number
}

/** Events have `n` in their data, and so has the reply of SAY. */
function numbersOf(socket: RawSocket): number[] {
  return socket.frames.map(({ data }) => (JSON.parse(String(data)) as { data: { n: number } | null }).data?.n ?? -1)
}

describe('publishing to many connections', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    async function startJoined(count: number) {
      const { given, connections, ends, onEnd } = options()
      const { app, connect } = await start(given)
      const sockets: RawSocket[] = []
      while (sockets.length < count) {
        const socket = await connect()
        socket.send(packet(1))
        await socket.next()
        sockets.push(socket)
      }
      const counted = (name: string): number => {
        const cell = app.instruments.families().find((family) => family.name === name)?.cells[0]?.cell
        return cell !== undefined && 'value' in cell ? Number(cell.value) : Number.NaN
      }
      return { app, sockets, connections, ends, onEnd, counted, clock: given.clock }
    }

    it.each([10, 8000, 17_000])(
      'keeps the order of events and the reply of the call that publishes: %i bytes',
      async (size) => {
        const { sockets, counted } = await startJoined(8)
        const [caller, ...others] = sockets as [RawSocket, ...RawSocket[]]
        const sentBefore = counted('ws_messages_sent_total')
        const bytesBefore = counted('ws_sent_bytes_total')
        for (let n = 0; n < 400; n += 4) caller.send(packet(2, { n, size }))
        const expected = Array.from({ length: 400 }, (_, n) => n)
        await until(() => caller.frames.length === 400 && others.every(({ frames }) => frames.length === 300))
        expect(numbersOf(caller)).toEqual(expected)
        for (const other of others) expect(numbersOf(other)).toEqual(expected.filter((n) => n % 4 !== 2))
        const bytes = sockets.flatMap(({ frames }) => frames.map(({ data }) => Buffer.byteLength(data)))
        expect(counted('ws_messages_sent_total') - sentBefore).toBe(bytes.length)
        expect(counted('ws_sent_bytes_total') - bytesBefore).toBe(bytes.reduce((sum, one) => sum + one, 0))
      },
    )

    it.each([10, 8000, 17_000])(
      'sends those that have subscribed meta, and all others the bytes that they always got: %i bytes',
      async (size) => {
        const { app, sockets } = await startJoined(10)
        const plain = sockets.filter((_, i) => i % 2 === 0)
        const optedIn = sockets.filter((_, i) => i % 2 === 1)
        for (const socket of optedIn) {
          socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'ticks' }))
          await socket.next()
        }
        const [pad, before] = ['x'.repeat(size), sockets.map(({ frames }) => frames.length)]
        const of = (socket: RawSocket): string[] =>
          socket.frames.slice(before[sockets.indexOf(socket)]).map(({ data }) => String(data))
        // In one turn of the event loop, and in one turn each.
        for (let n = 0; n < 100; n += 1) {
          await app.hub.publish('ticks', tick, { n, pad })
          if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        await until(() => sockets.every((socket) => of(socket).length === 100))
        const { topic, epoch, offset } = (JSON.parse(of(optedIn[0] as RawSocket)[0] ?? '') as { meta: Meta }).meta
        expect(topic).toBe('ticks')
        const event = (n: number): string =>
          `{"pkg_id":100,"req_id":"00000000-0000-0000-0000-000000000000","data":{"n":${n},"pad":"${pad}"}}`
        for (const socket of plain) expect(of(socket)).toEqual(Array.from({ length: 100 }, (_, n) => event(n)))
        for (const socket of optedIn)
          expect(of(socket).map((text) => JSON.parse(text) as unknown)).toEqual(
            Array.from({ length: 100 }, (_, n) => ({
              ...(JSON.parse(event(n)) as object),
              meta: { topic, epoch, offset: offset + n, cause: null },
            })),
          )
      },
    )

    it.each([8000, 17_000])(
      'closes each of several slow clients at the first event it misses, and no other: %i bytes [defect 32]',
      async (size) => {
        const { app, sockets, connections, ends, onEnd, counted, clock } = await startJoined(12)
        const pad = 'x'.repeat(size)
        const slow = sockets.slice(0, 3)
        const well = sockets.slice(3)
        for (const socket of slow) socket.pause()
        let n = 0
        const publish = (): void => void app.hub.publish('ticks', tick, { n: n++, pad })
        onEnd.run = (id) => {
          expect(app.hub.get(id)).toBeUndefined()
          publish()
        }
        while (ends.length < 3 && n < 20_000) {
          for (let i = 0; i < 5; i++) publish()
          await new Promise((resolve) => setImmediate(resolve))
        }
        const slowIds = connections.slice(0, 3).map(({ id }) => id)
        expect(ends.map(({ id, code }) => [id, code]).sort()).toEqual(slowIds.map((id) => [id, 1013]).sort())
        expect([app.hub.size, app.hub.topicSize('ticks'), counted('ws_dropped_sends_total')]).toEqual([9, 9, 3])
        const [first, ...rest] = slow as [RawSocket, ...RawSocket[]]
        for (const socket of rest) socket.resume()
        for (const socket of rest) expect((await socket.closed).code).toBe(1013)
        await clock.advance(5000)
        first.resume()
        expect((await first.closed).code).toBe(1006)
        for (const socket of slow) {
          const numbers = numbersOf(socket)
          expect(numbers).toEqual(numbers.map((_n, i) => i))
          expect(numbers.length).toBeLessThan(n)
        }
        await until(() => well.every(({ frames }) => frames.length === n))
        for (const socket of well) expect(numbersOf(socket)).toEqual(Array.from({ length: n }, (_, i) => i))
      },
    )

    it('delivers what was published before the app began to close, also to a client that reads later', async () => {
      const { app, sockets, clock } = await startJoined(6)
      const [late] = sockets as [RawSocket]
      late.pause()
      for (let n = 0; n < 20; n++) void app.hub.publish('ticks', tick, { n, pad: 'x'.repeat(4000) })
      const closing = app.close()
      const done = deferred()
      void closing.then(done.resolve)
      await clock.advance(1000)
      late.resume()
      for (const socket of sockets) {
        expect((await socket.closed).code).toBe(1012)
        expect(numbersOf(socket)).toEqual(Array.from({ length: 20 }, (_, n) => n))
      }
      await done.promise
    })

    it('delivers what was published before a close, a control frame and a leave', async () => {
      const { app, sockets, connections } = await startJoined(6)
      const [closed, controlled, left] = sockets as [RawSocket, RawSocket, RawSocket]
      void app.hub.publish('ticks', tick, { n: 0, pad: '' })
      void app.hub.broadcast(tick, { n: 1, pad: '' })
      connections[1]?.sendControl({ type: 'note', data: { n: 2 } })
      connections[0]?.close({ code: 4000, reason: 'bye' })
      connections[2]?.leave('ticks')
      void app.hub.publish('ticks', tick, { n: 3, pad: '' })
      void app.hub.broadcast(tick, { n: 4, pad: '' })
      expect(await closed.closed).toEqual({ code: 4000, reason: 'bye' })
      expect(numbersOf(closed)).toEqual([0, 1])
      await until(() => controlled.frames.length === 5 && left.frames.length === 3)
      expect(numbersOf(controlled)).toEqual([0, 1, 2, 3, 4])
      expect(numbersOf(left)).toEqual([0, 1, 4])
    })
  })
})
