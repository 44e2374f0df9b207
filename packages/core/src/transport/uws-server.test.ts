import { createServer } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { defaultSocketLimits } from './socket-limits.ts'
import type { HttpExchange, ListenOptions, UpgradeRequest } from './transport.ts'
import { catcher, dial, join, record, request, serve, upgradeHeaders } from './uws-fixture.ts'
import { uws } from './uws-server.ts'

const handlers = { upgrade() {}, request() {}, fault() {} }
const options = (port: number, more: Partial<ListenOptions> = {}): ListenOptions => {
  return { host: '127.0.0.1', port, websocketPath: '/ws', limits: defaultSocketLimits, ...more }
}

describe('listening over uWebSockets.js', () => {
  it('a port that one of our own servers has is taken', async () => {
    const { port } = await serve({})
    await expect(uws().listen(options(port), handlers)).rejects.toMatchObject({
      code: 'unavailable_port',
      message: `Port ${port} of 127.0.0.1 is already in use: stop the other listener, or choose another port`,
    })
  })

  it('a port that another server has is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    // Listening on a TCP port: an object.
    const { port } = other.address() as { port: number }
    await expect(uws().listen(options(port), handlers)).rejects.toMatchObject({ code: 'unavailable_port' })
    await new Promise((resolve) => other.close(resolve))
  })

  it('an address that is not ours is another refusal', async () => {
    await expect(uws().listen(options(0, { host: '203.0.113.1' }), handlers)).rejects.toMatchObject({
      code: 'bad_option',
      message: expect.stringContaining('Cannot listen on port 0 of 203.0.113.1: '),
    })
  })

  it.each([
    [{ port: 70_000 }, 'app.listen(): port must be an integer from 0 to 65535, received 70000'],
    [{ host: '' }, 'app.listen(): host must be a host name or an IP address'],
    [{ websocketPath: '/ws/:id' }, 'websocket.path must be a path'],
    [{ websocketPath: 'ws' }, 'websocket.path must be a path'],
    [{ limits: { ...defaultSocketLimits, idleTimeoutSeconds: 3 } }, 'websocket.idleTimeoutSeconds'],
  ])('checks its options before anything native sees them (%#)', async (more, message) => {
    const listening = uws().listen(options(0, more), handlers)
    await expect(listening).rejects.toMatchObject({ code: 'bad_option', message: expect.stringContaining(message) })
  })

  it('listens once, and again after it was closed', async () => {
    const transport = uws()
    const { port } = await transport.listen(options(0), handlers)
    await expect(transport.listen(options(0), handlers)).rejects.toMatchObject({ code: 'wrong_state' })
    await transport.close()
    expect((await transport.listen(options(port), handlers)).port).toBe(port)
    await transport.close()
  })

  it('may be closed and stopped before it ever listened', async () => {
    const transport = uws()
    transport.stopAccepting()
    await transport.close()
  })

  it('close cuts everything, tells everyone once, and may be called from in there', async () => {
    const recorder = record({ closed: () => void transport.close() })
    const pending = { http: catcher<HttpExchange>(), upgrade: catcher<UpgradeRequest>() }
    const { port, transport, faults } = await serve({
      upgrade: (upgrade) => (upgrade.query === '' ? upgrade.accept(recorder) : pending.upgrade.handle(upgrade)),
      request: pending.http.handle,
    })
    const client = join(port)
    await client.opened
    const peers = [await dial(port), await dial(port), await dial(port)]
    peers[0]?.write(request('POST', '/', { 'content-length': '10' }, 'abc'))
    peers[1]?.write(request('GET', '/ws?wait', upgradeHeaders))
    const exchange = await pending.http.next
    const upgrade = await pending.upgrade.next
    const told = vi.fn()
    const read = vi.fn()
    exchange.onAborted(() => told('http'))
    exchange.readBody(10, read)
    upgrade.onAborted(() => told('upgrade'))
    transport.stopAccepting()
    transport.stopAccepting()
    await transport.close()
    await transport.close()
    expect(recorder.log).toEqual(['opened', 'closed 1006'])
    expect(told.mock.calls.flat().sort()).toEqual(['http', 'upgrade'])
    expect(read.mock.calls).toEqual([['aborted']])
    exchange.respond(200, [], 'late')
    upgrade.accept(record())
    expect((await client.closed).code).toBe(1006)
    await Promise.all(peers.map((peer) => peer.closed))
    expect(faults).toEqual([])
  })

  it('the port is free at once, though connections that were cut linger', async () => {
    // Of a port that the system chose, uWS would leave out SO_REUSEADDR.
    const probe = await serve({})
    await probe.transport.close()
    for (let i = 0; i < 3; i++) {
      const { port, transport } = await serve({}, {}, '127.0.0.1', probe.port)
      const peer = await dial(port)
      peer.write(request('GET', '/'))
      await peer.until(/404/)
      await expect(uws().listen(options(port), handlers)).rejects.toMatchObject({ code: 'unavailable_port' })
      await transport.close()
      await peer.closed
    }
  })

  it('close may come from inside a handler', async () => {
    const { port, transport, faults } = await serve({
      request: (exchange) => {
        void transport.close()
        exchange.respond(200, [], 'never')
      },
    })
    const peer = await dial(port)
    peer.write(request('GET', '/'))
    await peer.closed
    expect(peer.text()).toBe('')
    expect(faults).toEqual([])
  })
})
