import { once } from 'node:events'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { createApp, event, route } from '../index.ts'
import { packet, until } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'
import type { WebSocketOptions } from '../websocket/options.ts'

const text = 'Twinwire '.repeat(2000)
const news = event({ data: v.string() })
const open: WebSocket[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate()
})

function options(compression: NonNullable<WebSocketOptions['compression']>) {
  return {
    pkgIds: { SHORT: 1, LONG: 2, ECHO: 3, NEWS: 4, JOIN: 5 },
    routes: {
      SHORT: route({ handler: () => 'short' }),
      LONG: route({ handler: () => text }),
      ECHO: route({ input: v.object({ text: v.string() }), handler: ({ text: given }) => given.length }),
      JOIN: route({ handler: (_input, call) => call.connection?.join('news') }),
    },
    events: { NEWS: news },
    topics: { news: { authorize: () => true } },
    websocket: { compression, maxPayloadBytes: 1024 * 1024 },
  } as const
}

/** A client that offers compression, and counts the bytes that it receives. */
async function connect(port: number, perMessageDeflate = true) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate })
  open.push(socket)
  let received = 0
  socket.on('upgrade', ({ socket: stream }) => stream.on('data', (chunk: Uint8Array) => (received += chunk.byteLength)))
  await once(socket, 'open')
  const next = async () => JSON.parse(String((await once(socket, 'message'))[0])) as { data: unknown }
  return {
    socket,
    next,
    call: (pkgId: number, data?: unknown) => {
      socket.send(packet(pkgId, data))
      return next()
    },
    received: () => received,
  }
}

describe('compression', () => {
  onTransports({ describe, afterEach }, ({ start, transport }) => {
    const onSockets = it.runIf(transport === 'uws')

    it.each(['shared', 'dedicated', { thresholdBytes: 0 }, false] as const)(
      '%j changes nothing for packages',
      async (given) => {
        const { client } = await start(options(given))
        const one = await client()
        expect(await one.call('LONG')).toBe(text)
        expect(await one.call('ECHO', { text })).toBe(text.length)
      },
    )

    onSockets.each(['shared', 'dedicated'] as const)(
      '%s compresses what is large, for clients that offer it',
      async (given) => {
        const { address, app } = await start(options(given))
        const one = await connect(address.port)
        expect(one.socket.extensions).toContain('permessage-deflate')
        const before = one.received()
        expect((await one.call(2)).data).toBe(text)
        expect(one.received() - before).toBeLessThan(text.length / 10)
        await one.call(5)
        const published = one.received()
        const got = one.next()
        void app.hub.publish('news', news, text)
        expect((await got).data).toBe(text)
        expect(one.received() - published).toBeLessThan(text.length / 10)
        const plain = await connect(address.port, false)
        expect(plain.socket.extensions).toBe('')
        expect((await plain.call(2)).data).toBe(text)
        expect(plain.received()).toBeGreaterThan(text.length)
      },
    )

    onSockets(
      'leaves what is shorter than the threshold as it is, and reaches every receiver of an event',
      async () => {
        const { address, app } = await start(options({ thresholdBytes: text.length * 2 }))
        const clients = await Promise.all(Array.from({ length: 8 }, () => connect(address.port)))
        for (const one of clients) await one.call(5)
        const before = clients.map((one) => one.received())
        const got = clients.map((one) => one.next())
        void app.hub.publish('news', news, text)
        expect((await Promise.all(got)).map(({ data }) => data)).toEqual(clients.map(() => text))
        for (const [i, one] of clients.entries()) expect(one.received() - (before[i] ?? 0)).toBeGreaterThan(text.length)
        const large = clients.map((one) => one.next())
        const bytes = clients.map((one) => one.received())
        void app.hub.publish('news', news, text.repeat(3))
        expect((await Promise.all(large)).map(({ data }) => data)).toEqual(clients.map(() => text.repeat(3)))
        for (const [i, one] of clients.entries()) expect(one.received() - (bytes[i] ?? 0)).toBeLessThan(text.length)
      },
    )

    onSockets('is not offered when it is off', async () => {
      const { address } = await start(options(false))
      const one = await connect(address.port)
      expect(one.socket.extensions).toBe('')
      expect((await one.call(2)).data).toBe(text)
    })

    onSockets('of a client is bounded by maxPayloadBytes, as what it becomes is', async () => {
      const { address, app } = await start(options('shared'))
      const fits = await connect(address.port)
      expect((await fits.call(3, { text })).data).toBe(text.length)
      const bomb = await connect(address.port)
      // About 8 KB on the wire.
      bomb.socket.send('a'.repeat(8 * 1024 * 1024))
      const [code] = await once(bomb.socket, 'close')
      expect(code).toBe(1006)
      await until(() => app.hub.size === 1)
      expect((await fits.call(1)).data).toBe('short')
    })
  })

  it('has options that say what they take', async () => {
    const ready = (compression: unknown) =>
      createApp({ ...options(false), websocket: { compression: compression as false } })
    expect(() => ready('4kb')).toThrow(
      "createApp(): websocket.compression must be one of false, 'shared', 'dedicated' or an object of options, received '4kb'",
    )
    expect(() => ready({ memory: 'all' })).toThrow(
      "createApp(): websocket.compression.memory must be 'shared' or 'dedicated'",
    )
    expect(() => ready({ thresholdBytes: -1 })).toThrow(
      'createApp(): websocket.compression.thresholdBytes must be an integer of at least 0 (bytes), received -1',
    )
  })
})
