import * as v from 'valibot'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { event } from '../call/event.ts'
import { route } from '../route/route.ts'
import { onTransports } from '../testing/on-transports.ts'
import type { RawSocket } from '../testing/raw-client.ts'
import { exchange, packet, until } from '../testing/suite.fixtures.ts'
import { memoryBroker } from './memory-broker.ts'

const price = event({
  data: v.object({ symbol: v.string(), n: v.number(), pad: v.string() }),
  key: ({ symbol }) => {
    if (symbol === 'broken') throw new Error('No key')
    return symbol
  },
})
const plain = event({ data: v.object({ n: v.number(), pad: v.string() }) })
const pad = 'x'.repeat(16 * 1024)
const join = route({ handler: async (_input, call) => void (await call.connection?.join('prices')) })
const leave = route({ handler: (_input, call) => call.connection?.leave('prices') })
const base = {
  pkgIds: { JOIN: 1, LEAVE: 2, PRICE: 100, PLAIN: 101 },
  routes: { JOIN: join, LEAVE: leave },
  events: { PRICE: price, PLAIN: plain },
  topics: { prices: { authorize: () => true, history: false, slow: 'latest' } },
  websocket: { maxBackpressureBytes: 256 * 1024, idleTimeoutSeconds: 0 },
} as const

interface Price {
  readonly symbol: string
  readonly n: number
}

function pricesOf({ frames }: RawSocket): readonly Price[] {
  return frames.flatMap(({ data }) => {
    const frame: { readonly pkg_id: number; readonly data: Price } = JSON.parse(String(data))
    return frame.pkg_id === 100 ? [frame.data] : []
  })
}

/** Is it the price that came last? Read without parsing all of them. */
const isLast = ({ frames }: RawSocket, n: number): boolean => String(frames.at(-1)?.data).includes(`"n":${n},`)

// Some megabytes for each client.
vi.setConfig({ testTimeout: 90_000 })

onTransports({ describe, afterEach }, ({ start }) => {
  /** Clients that have joined, the first of which does not read, and have been sent 1500 prices of three symbols: more than any system queues. */
  const behind = async (clients: number) => {
    // Some megabytes for a client that does not read, at once.
    const app = await start({ ...base, broker: memoryBroker() })
    const sockets = await Promise.all(Array.from({ length: clients }, () => app.connect()))
    for (const socket of sockets) await exchange(socket, packet(1))
    const [slow] = sockets
    if (slow === undefined) throw new Error('never')
    slow.pause()
    const symbols = ['a', 'b', 'c']
    let n = 0
    const publish = async (): Promise<void> => {
      for (let turn = 0; turn < 500; turn++) {
        for (const symbol of symbols) void app.app.hub.publish('prices', price, { symbol, n: n++, pad })
        if (turn % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await publish()
    const count = (name: string): number => {
      const cell = app.app.instruments.families().find((each) => each.name === name)?.cells[0]?.cell
      return cell !== undefined && 'value' in cell ? cell.value : Number.NaN
    }
    return { app, slow, others: sockets.slice(1), count, sent: () => n }
  }

  test.each([1, 5])('of %i connections one that is behind gets the newest of each key, and stays', async (clients) => {
    const { app, slow, others, count, sent } = await behind(clients)
    expect(app.app.hub.size).toBe(clients)
    expect(count('hub_replaced_events_total')).toBeGreaterThan(0)
    slow.resume()
    await until(() => isLast(slow, sent() - 1))
    const prices = pricesOf(slow)
    // In order, and the last ones are the newest of each.
    expect(prices.map(({ n }) => n)).toEqual(prices.map(({ n }) => n).sort((a, b) => a - b))
    expect(prices.slice(-3).map(({ n }) => n)).toEqual([sent() - 3, sent() - 2, sent() - 1])
    expect(prices.length).toBeLessThan(sent())
    for (const other of others) {
      await until(() => isLast(other, sent() - 1))
      // On a busy machine one that reads may be behind for a while, too.
      const received = pricesOf(other).map(({ n }) => n)
      expect(received).toEqual([...new Set(received)].sort((a, b) => a - b))
      expect(received.slice(-3)).toEqual([sent() - 3, sent() - 2, sent() - 1])
    }
    void app.app.hub.publish('prices', price, { symbol: 'a', n: -1, pad })
    await until(() => isLast(slow, -1))
  })

  test('what waits of a topic that it has left is not sent', async () => {
    const { app, slow, sent } = await behind(1)
    slow.send(packet(2))
    await until(() => app.app.hub.topicSize('prices') === 0)
    slow.resume()
    await until(() => slow.frames.some(({ data }) => JSON.parse(String(data)).pkg_id === 2))
    expect(pricesOf(slow).some(({ n }) => n >= sent() - 3)).toBe(false)
  })

  test('more keys than fit, and events without a key, close it with 1013', async () => {
    for (const publish of ['keys', 'plain', 'broken'] as const) {
      const { app, slow } = await behind(1)
      for (let n = 0; n < 100 && app.app.hub.size === 1; n++) {
        if (publish === 'plain') void app.app.hub.publish('prices', plain, { n, pad })
        else void app.app.hub.publish('prices', price, { symbol: publish === 'keys' ? `s${n}` : 'broken', n, pad })
      }
      expect(app.app.hub.size).toBe(0)
      const failed = app.logs.filter(({ message }) => message === 'The key of an event failed')
      expect(failed.length > 0).toBe(publish === 'broken')
      slow.resume()
      expect([1006, 1013]).toContain((await slow.closed).code)
    }
  })
})
