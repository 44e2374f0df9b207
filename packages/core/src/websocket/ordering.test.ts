import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Call,
  guard,
  interceptor,
  type Next,
  PermissionDeniedError,
  route,
  type WebSocketOptions,
} from '../index.ts'
import {
  codeOf,
  type Deferred,
  deferred,
  exchange,
  nextJson,
  packet,
  plugin,
  type ReplyFrame,
  until,
} from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const input = v.object({ n: v.number() })

/** Calls that run until they are told to end, and what happened in which order. */
function steered() {
  const log: string[] = []
  const ends = new Map<number, Deferred<void>>()
  const end = (n: number): Deferred<void> => {
    const known = ends.get(n) ?? deferred()
    ends.set(n, known)
    return known
  }
  const handler = async ({ n }: { n: number }): Promise<{ n: number }> => {
    log.push(`start ${n}`)
    await end(n).promise
    log.push(`end ${n}`)
    return { n }
  }
  return { log, end, handler }
}

/** Counts the calls that have arrived. */
function countCalls() {
  let count = 0
  const probe = plugin((host) => host.onCall(() => void count++), 'countCalls')
  return { probe, arrived: (expected: number) => until(() => count === expected) }
}

const ns = (replies: readonly ReplyFrame[]): unknown[] => replies.map(({ data }) => (data as { n?: number }).n)

async function take(socket: Parameters<typeof nextJson>[0], count: number): Promise<ReplyFrame[]> {
  const replies: ReplyFrame[] = []
  for (let i = 0; i < count; i++) replies.push(await nextJson(socket))
  return replies
}

describe('concurrency of one connection', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('runs 64 calls at once, answers too_many_in_flight to the next, and takes more once one has ended [defect 35]', async () => {
      const { handler, end, log } = steered()
      const { connect, app } = await start({ pkgIds: { WAIT: 1 }, routes: { WAIT: route({ input, handler }) } })
      const socket = await connect()
      for (let n = 1; n <= 64; n++) socket.send(packet(1, { n }))
      const refused = await exchange(socket, packet(1, { n: 65 }))
      expect(refused).toMatchObject({ status_code: 1, data: { code: 'too_many_in_flight' } })
      expect(log).toHaveLength(64)
      end(7).resolve()
      expect(ns(await take(socket, 1))).toEqual([7])
      socket.send(packet(1, { n: 66 }))
      end(66).resolve()
      expect(ns(await take(socket, 1))).toEqual([66])
      expect(app.hub.size).toBe(1)
      for (let n = 1; n <= 64; n++) end(n).resolve()
      expect(await take(socket, 63)).toHaveLength(63)
    })

    it('counts the calls of each connection for itself', async () => {
      const { handler, end } = steered()
      const { connect } = await start({
        pkgIds: { WAIT: 1 },
        routes: { WAIT: route({ input, handler }) },
        websocket: { maxInFlight: 1 },
      })
      const [one, other] = [await connect(), await connect()]
      one.send(packet(1, { n: 1 }))
      expect(codeOf(await exchange(one, packet(1, { n: 2 })))).toBe('too_many_in_flight')
      end(3).resolve()
      expect((await exchange(other, packet(1, { n: 3 }))).status_code).toBe(0)
      end(1).resolve()
    })

    it('replies in whatever order the calls end', async () => {
      const { handler, end } = steered()
      const { connect } = await start({ pkgIds: { WAIT: 1 }, routes: { WAIT: route({ input, handler }) } })
      const socket = await connect()
      for (const n of [1, 2, 3]) socket.send(packet(1, { n }))
      const order: unknown[] = []
      for (const n of [3, 1, 2]) {
        end(n).resolve()
        order.push(...ns(await take(socket, 1)))
      }
      expect(order).toEqual([3, 1, 2])
    })
  })
})

describe('ordered calls', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('never overlap on one connection; other routes and other connections go on', async () => {
      const { handler, end, log } = steered()
      const { connect } = await start({
        pkgIds: { ORDERED: 1, FREE: 2 },
        routes: { ORDERED: route({ input, ordered: true, handler }), FREE: route({ input, handler }) },
      })
      const [socket, other] = [await connect(), await connect()]
      for (const n of [1, 2, 3]) socket.send(packet(1, { n }))
      socket.send(packet(2, { n: 10 }))
      other.send(packet(1, { n: 20 }))
      await until(() => log.length === 3)
      expect(log).toEqual(expect.arrayContaining(['start 1', 'start 10', 'start 20']))
      for (const n of [3, 2, 1]) end(n).resolve()
      expect(ns(await take(socket, 3))).toEqual([1, 2, 3])
      expect(log.filter((line) => /[123]$/.test(line))).toEqual([1, 2, 3].flatMap((n) => [`start ${n}`, `end ${n}`]))
      end(10).resolve()
      end(20).resolve()
    })

    const inOrder: WebSocketOptions = { ordered: 'connection' }

    it('of a connection run one at a time in order of arrival, whatever their routes', async () => {
      const { handler, end, log } = steered()
      const { connect } = await start({
        pkgIds: { ONE: 1, TWO: 2 },
        routes: { ONE: route({ input, handler }), TWO: route({ input, handler }) },
        websocket: inOrder,
      })
      const socket = await connect()
      for (const n of [1, 2, 3, 4]) socket.send(packet(1 + (n % 2), { n }))
      for (const n of [4, 3, 2, 1]) end(n).resolve()
      expect(ns(await take(socket, 4))).toEqual([1, 2, 3, 4])
      expect(log).toEqual([1, 2, 3, 4].flatMap((n) => [`start ${n}`, `end ${n}`]))
    })

    it('are answered in order too, also when the next one is refused at once', async () => {
      const { handler, end } = steered()
      const { probe, arrived } = countCalls()
      const denied = guard({ name: 'denied', run: () => Promise.reject<void>(new PermissionDeniedError()) })
      const { connect } = await start({
        pkgIds: { SLOW: 1, NOW: 2, DENIED: 3 },
        routes: {
          SLOW: route({
            input,
            handler,
            output: v.pipeAsync(
              input,
              v.checkAsync(async () => true),
            ),
          }),
          NOW: route({ input, handler: ({ n }) => ({ n }) }),
          DENIED: route({ use: [denied], handler: () => null }),
        },
        websocket: inOrder,
        plugins: [probe],
      })
      const socket = await connect()
      socket.send(packet(1, { n: 1 }))
      socket.send(packet(2, { n: 'two' }))
      socket.send(packet(2, { n: 3 }))
      socket.send(packet(3))
      socket.send(packet(2, { n: 5 }))
      await arrived(5)
      end(1).resolve()
      const replies = await take(socket, 5)
      expect(replies.map(({ pkg_id, status_code }) => [pkg_id, status_code])).toEqual([
        [1, 0],
        [2, 2],
        [2, 0],
        [3, 3],
        [2, 0],
      ])
    })

    it.each(['ordered: true', "ordered: 'connection'"])(
      'that pass their deadline do not let the next overlap (%s)',
      async (kind) => {
        const { handler, end, log } = steered()
        const time = createVirtualClock()
        const { probe, arrived } = countCalls()
        const { connect } = await start({
          clock: time,
          pkgIds: { WORK: 1 },
          routes: { WORK: route({ input, ordered: kind === 'ordered: true', deadlineMs: 1000, handler }) },
          websocket: kind === 'ordered: true' ? {} : inOrder,
          plugins: [probe],
        })
        const socket = await connect()
        socket.send(packet(1, { n: 1 }))
        await until(() => log.length === 1)
        await time.advance(500)
        const reply = exchange(socket, packet(1, { n: 2 }))
        await arrived(2)
        await time.advance(500)
        expect(codeOf(await reply)).toBe('deadline_exceeded')
        expect(log).toEqual(['start 1'])
        end(1).resolve()
        end(2).resolve()
        expect(ns(await take(socket, 1))).toEqual([2])
        expect(log).toEqual(['start 1', 'end 1', 'start 2', 'end 2'])
      },
    )

    it('that pass their deadline while they wait are answered then and never run', async () => {
      const { handler, end, log } = steered()
      const time = createVirtualClock()
      const { probe, arrived } = countCalls()
      const { connect } = await start({
        clock: time,
        pkgIds: { WORK: 1 },
        routes: { WORK: route({ input, ordered: true, deadlineMs: 1000, handler }) },
        plugins: [probe],
      })
      const socket = await connect()
      socket.send(packet(1, { n: 1 }))
      socket.send(packet(1, { n: 2 }))
      await arrived(2)
      await time.advance(1000)
      expect((await take(socket, 2)).map(codeOf)).toEqual(['deadline_exceeded', 'deadline_exceeded'])
      end(1).resolve()
      end(3).resolve()
      expect(ns([await exchange(socket, packet(1, { n: 3 }))])).toEqual([3])
      expect(log).toEqual(['start 1', 'end 1', 'start 3', 'end 3'])
    })

    it('that wait never start once the connection has closed', async () => {
      const { handler, log } = steered()
      const { probe, arrived } = countCalls()
      const opened = deferred()
      const locked = interceptor({
        name: 'locked',
        run: async (_call: Call, next: Next) => {
          await opened.promise
          return next()
        },
      })
      const neverDone = guard({ name: 'neverDone', run: () => new Promise<void>(() => {}) })
      let gone = 0
      const { connect } = await start({
        pkgIds: { GUARDED: 1, LOCKED: 2, WORK: 3 },
        routes: {
          GUARDED: route({ use: [neverDone], handler: () => log.push('guarded') }),
          LOCKED: route({ input, use: [locked], handler }),
          WORK: route({ input, handler }),
        },
        websocket: inOrder,
        plugins: [probe, plugin((host) => host.onDisconnect(() => void gone++))],
      })
      for (const first of [1, 2]) {
        const socket = await connect()
        socket.send(packet(first, { n: 1 }))
        socket.send(packet(3, { n: 2 }))
        await arrived(2 * first)
        socket.terminate()
        await until(() => gone === first)
      }
      expect(log).toEqual([])
    })
  })
})
