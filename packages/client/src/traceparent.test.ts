import { createApp, jsonCodec, route, stream } from '@twinwire/core'
import { protobufCodec } from '@twinwire/core/protobuf'
import * as v from 'valibot'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createClient } from './client.ts'
import type { ClientOptions } from './client-types.ts'
import { createFakeClient } from './fake-socket.fixtures.ts'
import { protobuf } from './protobuf.ts'

const traces = [1, 2, 3, 4, 5, 6].map((n) => `00-${String(n).repeat(32)}-${String(n).repeat(16)}-01`)

/** Returns the traces one after the other. */
const inTurn = () => {
  let asked = 0
  return vi.fn(() => traces[asked++])
}

test.each<[what: string, options: Partial<ClientOptions>]>([
  ['over WebSocket, in JSON', {}],
  ['over WebSocket, in protobuf', { codec: protobuf() }],
  ['over HTTP', { wire: 'http' }],
])('%s each call names the trace that the function returned for it', async (_what, options) => {
  const app = createApp({
    pkgIds: { TRACE: 1, ITEMS: 2 },
    defaultAccess: 'public',
    codecs: [jsonCodec, protobufCodec()],
    routes: {
      TRACE: route({ http: 'GET /trace', handler: (_input, { traceparent }) => traceparent }),
      ITEMS: route({
        http: 'GET /items',
        output: stream(v.nullable(v.string())),
        handler: async function* (_input, { traceparent }) {
          yield traceparent
        },
      }),
    },
  })
  const { url } = await app.listen({ port: 0 })
  onTestFinished(() => app.close())
  const traceparent = vi.fn((): string | undefined => traces[0])
  const client = createClient<typeof app>({ url, manifest: app.manifest(), WebSocket, traceparent, ...options })
  onTestFinished(() => client.close())

  expect(await client.call('TRACE')).toBe(traces[0])
  traceparent.mockReturnValue(traces[1])
  expect(await client.call('TRACE')).toBe(traces[1])
  for await (const item of client.stream('ITEMS')) expect(item).toBe(traces[1])
  expect(await (await client.fetch('TRACE')).json()).toBe(traces[1])
  for (const none of [undefined, '', 'rubbish']) {
    traceparent.mockReturnValue(none)
    expect(await client.call('TRACE')).toBeNull()
  }
  expect(traceparent).toHaveBeenCalledTimes(7)
})

describe('the function is called once for each call', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    // Reconnects come at once.
    vi.spyOn(Math, 'random').mockReturnValue(0)
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  test('and sends the same after a reconnect', async () => {
    const traceparent = inTurn()
    const { client, open, socket } = createFakeClient({ traceparent })
    const first = client.call('ONCE', { text: 'hi' })
    await open()
    const [sent] = socket().frames()
    expect(sent?.traceparent).toBe(traces[0])
    socket().emit('close', { code: 1006 })
    await vi.advanceTimersByTimeAsync(1_000)
    await open()
    expect(socket().frames()).toEqual([sent])
    socket().reply('hi')
    expect(await first).toBe('hi')
    expect(traceparent).toHaveBeenCalledTimes(1)
    client.close()
  })

  test('and not for control frames', async () => {
    const traceparent = inTurn()
    const { client, open, socket } = createFakeClient({ traceparent })
    client.connect()
    await open()
    const members = client.presence('chat:1')
    const [{ id } = {}] = socket().frames('presence')
    socket().receive({ type: 'presence', id, members: [], cursor: null })
    expect(await members).toEqual([])
    expect(socket().frames('presence')).toEqual([{ type: 'presence', id, topic: 'chat:1', cursor: null }])
    expect(traceparent).not.toHaveBeenCalled()
    client.close()
  })

  test('also over HTTP, where it is repeated', async () => {
    const sent: (string | null)[] = []
    const traceparent = inTurn()
    const { client } = createFakeClient({
      wire: 'http',
      traceparent,
      fetch: async (_, init) => {
        sent.push(new Headers(init?.headers).get('traceparent'))
        if (sent.length === 1) throw new TypeError('fetch failed')
        return new Response('"ok"', { headers: { 'content-type': 'application/json' } })
      },
    })
    const call = client.call('ONCE', { text: 'hi' })
    await vi.runAllTimersAsync()
    expect(await call).toBe('ok')
    expect(sent).toEqual([traces[0], traces[0]])
    expect(traceparent).toHaveBeenCalledTimes(1)
  })

  test('and rejects with what the function throws, before anything is sent', async () => {
    const fault = new Error('No tracer')
    const { client, sockets } = createFakeClient({
      traceparent: () => {
        throw fault
      },
    })
    await expect(client.call('GET', { id: '1' })).rejects.toBe(fault)
    expect(sockets).toEqual([])
  })
})

test('without the option nothing is sent', async () => {
  const headers: unknown[] = []
  const { client } = createFakeClient({
    wire: 'http',
    fetch: async (_, init) => {
      headers.push(init?.headers)
      return new Response('1')
    },
  })
  await client.call('GET', { id: '1' })
  expect(headers).toEqual([{ accept: 'application/json', 'x-correlation-id': expect.any(String) }])
})
