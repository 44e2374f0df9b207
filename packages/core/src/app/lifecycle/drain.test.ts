import * as v from 'valibot'
import { afterEach, describe, expect, test } from 'vitest'
import { reply } from '../../call/reply.ts'
import type { Connection } from '../../hub/connection.ts'
import { ConnectionHub } from '../../hub/hub.ts'
import { route } from '../../route/route.ts'
import { guard } from '../../route/step.ts'
import { onTransports } from '../../testing/on-transports.ts'
import { codeOf, deferred, nextJson, packet, plugin, type ReplyFrame, until } from '../../testing/suite.fixtures.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { WebSocketConnection } from '../../websocket/connection.ts'

const work = route({ http: 'POST /work', handler: () => new Promise<string>(() => {}) })
const ping = route({ handler: () => 'pong' })
const base = { pkgIds: { WORK: 1, PING: 2 }, routes: { WORK: work, PING: ping } } as const

onTransports({ describe, afterEach }, ({ start }) => {
  const slowControl = () => {
    const gate = deferred()
    const controls = plugin((host) => {
      host.controlFrame('slow', async () => {
        await gate.promise
        return { reply: { type: 'slow_ok' } }
      })
    })
    return { gate, controls }
  }

  test('packages that wait behind a control frame are answered when it ends in time', async () => {
    const { gate, controls } = slowControl()
    const app = await start({ ...base, plugins: [controls] })
    const socket = await app.connect()
    socket.send('{"type":"slow"}')
    socket.send(packet(2))
    await app.request('GET /health')
    const closed = app.app.close()
    await until(() => app.app.state === 'draining')
    gate.resolve()
    expect(await nextJson<{ type: string }>(socket)).toEqual({ type: 'slow_ok' })
    expect(codeOf(await nextJson(socket))).toBe('unavailable')
    expect((await socket.closed).code).toBe(1012)
    await closed
  })

  test('and when it does not, they are answered before the close', async () => {
    const { controls } = slowControl()
    const app = await start({ ...base, plugins: [controls], drainTimeoutMs: 100 })
    const socket = await app.connect()
    socket.send('{"type":"slow"}')
    socket.send(packet(2))
    socket.send('{"type":"slow"}')
    socket.send(packet(2))
    await app.request('GET /health')
    await app.app.close()
    const replies: ReplyFrame[] = [await nextJson(socket), await nextJson(socket)]
    expect(replies.map(codeOf)).toEqual(['unavailable', 'unavailable'])
    expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' })
  })

  test('with a delay it serves on both wires until then, and is not ready from the start', async () => {
    const clock = createVirtualClock()
    const app = await start({ ...base, drainDelayMs: 5000, clock })
    const socket = await app.connect()
    const closed = app.app.close()
    expect(app.app.state).toBe('draining')
    expect((await app.request('GET /health/ready')).status).toBe(503)
    expect((await app.request('GET /health/live')).status).toBe(200)
    socket.send(packet(2))
    expect(await nextJson(socket)).toMatchObject({ status_code: 0, data: 'pong' })
    // New connections are accepted too.
    const late = await app.connect()
    await clock.advance(5000)
    // What was accepted last is served as well.
    late.send(packet(2))
    expect(await nextJson(late)).toMatchObject({ status_code: 0, data: 'pong' })
    await clock.advance(200)
    expect((await socket.closed).code).toBe(1012)
    expect((await late.closed).code).toBe(1012)
    await closed
  })

  test('connections that have subscribed are told when to reconnect, others get the close frame alone', async () => {
    const connections: Connection[] = []
    const plugins = [plugin((host) => host.onConnect((connection) => void connections.push(connection)))]
    const app = await start({ ...base, plugins, websocket: { reconnectWindowMs: 5000 } })
    const [subscribed, other] = [await app.connect(), await app.connect()]
    await until(() => app.app.hub.size === 2)
    const [connection] = connections
    const { hub } = app.app
    if (!(hub instanceof ConnectionHub && connection instanceof WebSocketConnection)) throw new Error('not these')
    await hub.subscribe(connection, { kind: 'all' }, null, null, () => {})
    await app.app.close()
    expect(await nextJson(subscribed)).toEqual({ type: 'closing', reconnect_after_ms: [0, 5000] })
    expect((await subscribed.closed).code).toBe(1012)
    expect((await other.closed).code).toBe(1012)
    expect(other.frames).toEqual([])
  })

  test('calls that do not end in time are answered on both wires', async () => {
    const app = await start({ ...base, drainTimeoutMs: 100 })
    const socket = await app.connect()
    socket.send(packet(1))
    const request = app.request('POST /work')
    await until(() => app.app.hub.size === 1)
    await app.request('GET /health')
    await app.app.close()
    expect(codeOf(await nextJson(socket))).toBe('unavailable')
    expect((await socket.closed).code).toBe(1012)
    expect((await request).status).toBe(503)
  })

  // More than the buffers of a loopback connection hold.
  const large = 'grüße '.repeat(3_000_000)
  const endpoints = [
    route({ http: 'GET /large', access: 'public', handler: () => reply.text(large) }),
    route({ http: 'GET /listed', access: 'public', handler: () => [large] }),
  ]

  test.each(['/large', '/listed'])('%s, whose reader pauses, arrives whole', async (path) => {
    const app = await start({ ...base, endpoints })
    const { body } = await app.raw.stream({ method: 'GET', path })
    const closed = app.app.close()
    await until(() => app.app.state === 'draining')
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    expect(text === large || text === JSON.stringify([large])).toBe(true)
    await closed
    expect(app.logs.filter(({ level, message }) => level !== 'info' && message.includes('drain'))).toEqual([])
  })

  test('a reader that never reads does not hold it beyond its time, and sees that the answer is not whole', async () => {
    const app = await start({ ...base, endpoints, drainTimeoutMs: 200 })
    const { body } = await app.raw.stream({ method: 'GET', path: '/large' })
    await app.app.close()
    await expect(
      (async () => {
        for await (const _chunk of body);
      })(),
    ).rejects.toThrow()
    expect(app.logs.filter(({ message }) => message.startsWith('Drain timeout reached'))).toHaveLength(1)
  })

  /** A socket that reads nothing, and for which some megabytes and then five replies of 110 KB are queued. */
  const behind = async (options: { readonly drainTimeoutMs: number }) => {
    const pad = 'x'.repeat(110_000)
    const connections: Connection[] = []
    const app = await start({
      ...base,
      plugins: [plugin((host) => host.onConnect((connection) => void connections.push(connection)))],
      ...options,
      pkgIds: { FILL: 1, LAST: 2 },
      routes: {
        FILL: route({ handler: () => pad }),
        LAST: route({ handler: () => ({ pad, last: true }) }),
      },
      websocket: { maxBackpressureBytes: 16 * 1024 * 1024 },
    })
    const socket = await app.connect()
    await until(() => app.app.hub.size === 1)
    const [connection] = connections
    socket.pause()
    let asked = 0
    while (connection !== undefined && connection.bufferedBytes < 200_000 && asked < 1000) {
      socket.send(packet(1))
      if (++asked % 10 === 0) await app.request('GET /health')
    }
    await app.request('GET /health')
    const filled = connection?.bufferedBytes ?? 0
    for (let i = 0; i < 5; i++) socket.send(packet(2))
    await until(() => (connection?.bufferedBytes ?? 0) > filled + 5 * pad.length)
    return { app, socket, replies: () => socket.frames.map(({ data }) => String(data)) }
  }

  test('every reply that is queued for a slow client arrives, and then the close frame', async () => {
    const { app, socket, replies } = await behind({ drainTimeoutMs: 60_000 })
    const closed = app.app.close()
    await until(() => app.app.hub.size === 0)
    socket.resume()
    expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' })
    expect(replies().filter((text) => text.includes('"last":true'))).toHaveLength(5)
    await closed
  })

  test('a client that takes nothing is cut when the time is over, and not before', async () => {
    const { app, socket } = await behind({ drainTimeoutMs: 200 })
    await app.app.close()
    socket.resume()
    expect((await socket.closed).code).toBe(1006)
  })

  test('a body that is being uploaded is read to its end, and answered', async () => {
    const begun = deferred()
    const upload = route({
      http: { route: 'POST /upload', body: 'raw' },
      access: 'public',
      use: [guard({ name: 'begun', run: () => begun.resolve() })],
      input: v.object({ body: v.instance(Uint8Array) }),
      handler: ({ body }) => body.byteLength,
    })
    const app = await start({ ...base, endpoints: [upload] })
    const rest = deferred()
    const length = 200_000
    const request = app.raw.request({
      method: 'POST',
      path: '/upload',
      headers: { 'content-length': String(length), 'content-type': 'application/octet-stream' },
      body: (async function* () {
        yield new Uint8Array(length / 2)
        await rest.promise
        yield new Uint8Array(length / 2)
      })(),
    })
    await begun.promise
    const closed = app.app.close()
    await until(() => app.app.state === 'draining')
    rest.resolve()
    const { status, body } = await request
    expect([status, Buffer.from(body).toString()]).toEqual([200, String(length)])
    await closed
  })

  test('an upgrade that still waits for a hook is refused at once', async () => {
    const asked = deferred()
    const app = await start({
      ...base,
      plugins: [
        plugin((host) => {
          host.onRequest(async ({ wire }) => {
            if (wire !== 'ws') return
            asked.resolve()
            await new Promise(() => {})
          })
        }),
      ],
    })
    const refused = app.connect().catch((error: unknown) => error)
    await asked.promise
    await app.app.close()
    expect(await refused).toMatchObject({ status: 503 })
  })
})
