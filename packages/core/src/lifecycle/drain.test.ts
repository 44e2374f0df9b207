import { afterEach, describe, expect, test } from 'vitest'
import { route } from '../router/route.ts'
import { onTransports } from '../testing/on-transports.ts'
import { codeOf, deferred, nextJson, packet, plugin, type ReplyFrame, until } from '../testing/suite.fixtures.ts'

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
})
