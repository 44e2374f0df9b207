import { describe, expect, it, vi } from 'vitest'
import type { SocketLimits, SocketListener } from './transport.ts'
import { type HttpExchange, SendResult, type Socket, type UpgradeRequest } from './transport.ts'
import {
  catcher,
  deferred,
  dial,
  type Fixture,
  join,
  type Recorder,
  record,
  request,
  serve,
  upgradeHeaders,
} from './uws-fixture.ts'

/** A server that accepts every socket with one listener. */
async function serveSockets(
  react: Partial<SocketListener> = {},
  limits: Partial<SocketLimits> = {},
): Promise<Fixture & { recorder: Recorder }> {
  const recorder = record(react)
  const fixture = await serve({ upgrade: (upgrade) => upgrade.accept(recorder) }, limits)
  return { ...fixture, recorder }
}

describe('sockets over uWebSockets.js', () => {
  it('a slow client is queued, the frame that crosses the limit goes, the next is dropped, and the end leaves no gap', async () => {
    const { port, recorder } = await serveSockets({}, { maxBackpressureBytes: 64 * 1024 })
    const client = join(port)
    const socket = await recorder.socket
    await client.opened
    client.ws.pause()
    const results: SendResult[] = []
    while (results.at(-1) !== SendResult.dropped) {
      // It is crossed by one frame only.
      expect(socket.bufferedBytes()).toBeLessThan(64 * 1024 + 50_020)
      results.push(socket.send(`${results.length} ${'x'.repeat(50_000)}`, false))
    }
    const accepted = results.length - 1
    expect(results[0]).toBe(SendResult.sent)
    expect(results.slice(-3)).toEqual([SendResult.queued, SendResult.queued, SendResult.dropped])
    expect(socket.bufferedBytes()).toBeGreaterThan(64 * 1024)
    // uWS does nothing to the connection; core does.
    expect(recorder.log).toEqual(['opened'])
    socket.end(1013, 'too slow')
    expect(recorder.log).toEqual(['opened', 'closed 1013 too slow'])
    expect(socket.send('late', false)).toBe(SendResult.closed)
    client.ws.resume()
    expect(await client.closed).toEqual({ code: 1013, reason: 'too slow' })
    expect(client.messages.map((message) => Number.parseInt(message, 10))).toEqual(
      Array.from({ length: accepted }, (_, i) => i),
    )
  })

  it('a client that never reads is cut by close() after end()', async () => {
    const { port, recorder } = await serveSockets({}, { maxBackpressureBytes: 64 * 1024 })
    const client = join(port)
    const socket = await recorder.socket
    await client.opened
    client.ws.pause()
    while (socket.send('x'.repeat(50_000), false) !== SendResult.dropped);
    socket.end(1013, 'too slow')
    client.ws.send('not received any more')
    socket.close()
    socket.close()
    client.ws.resume()
    expect((await client.closed).code).toBe(1006)
    expect(recorder.log).toEqual(['opened', 'closed 1013 too slow'])
  })

  it('a frame over the limit cuts the connection', async () => {
    const { port, recorder } = await serveSockets({}, { maxPayloadBytes: 1024 })
    const client = join(port)
    await client.opened
    client.ws.send('x'.repeat(1025))
    expect((await client.closed).code).toBe(1006)
    expect(await recorder.gone).toMatch(/^1006/)
  })

  it('a message is dead after its callback', async () => {
    const kept = deferred<ArrayBuffer>()
    const { port } = await serveSockets({ message: (data) => kept.resolve(data) })
    const client = join(port)
    await client.opened
    client.ws.send('gone')
    const data = await kept.promise
    await new Promise((resolve) => setImmediate(resolve))
    expect(data.byteLength).toBe(0)
  })

  it.each(['end', 'close'] as const)('%s calls closed at once, and closed may call anything', async (how) => {
    let socket!: Socket
    const inside: unknown[] = []
    const { port, recorder, faults } = await serveSockets({
      opened: (opened) => {
        socket = opened
      },
      message: () => {
        if (how === 'end') socket.end(4000, 'bye')
        else socket.close()
        inside.push('after')
      },
      closed: () => {
        inside.push(socket.send('x', false), socket.bufferedBytes())
        socket.end(4001, 'again')
        socket.close()
        socket.cork(() => inside.push('corked'))
      },
    })
    const client = join(port)
    await client.opened
    client.ws.send('1')
    client.ws.send('2')
    expect((await client.closed).code).toBe(how === 'end' ? 4000 : 1006)
    expect(inside).toEqual([SendResult.closed, 0, 'corked', 'after'])
    expect(recorder.log.filter((line) => line.startsWith('closed'))).toHaveLength(1)
    expect(recorder.log).not.toContain('text 2')
    expect(faults).toEqual([])
  })

  it('a socket may be ended while it opens', async () => {
    const { port, recorder } = await serveSockets({ opened: (socket) => socket.end(4000, 'not now') })
    expect(await join(port).closed).toEqual({ code: 4000, reason: 'not now' })
    expect(recorder.log).toEqual(['opened', 'closed 4000 not now'])
  })

  it.each(['opened', 'message', 'closed', 'cork'] as const)(
    'a throw in %s is a fault, and the process lives',
    async (where) => {
      const boom = (): never => {
        throw new Error('boom')
      }
      let socket!: Socket
      const { port, recorder, faults } = await serveSockets({
        opened: (opened) => {
          socket = opened
          if (where === 'opened') boom()
        },
        message: () => {
          if (where === 'message') boom()
          if (where === 'cork') socket.cork(boom)
          socket.close()
        },
        closed: () => {
          if (where === 'closed') boom()
        },
      })
      const client = join(port)
      client.ws.on('open', () => client.ws.send('x'))
      await client.closed
      await recorder.gone
      expect(faults).toMatchObject([{ message: 'boom' }])
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
    },
  )

  it('what is corked goes out in one piece', async () => {
    const { port, recorder } = await serveSockets()
    const peer = await dial(port)
    peer.write(request('GET', '/ws', upgradeHeaders))
    const socket = await recorder.socket
    await peer.until(/\r\n\r\n/)
    const before = peer.chunks.length
    socket.cork(() => {
      for (let i = 0; i < 20; i++) expect(socket.send(`message ${i}.`, false)).toBe(SendResult.sent)
    })
    await peer.until(/message 19\./)
    expect(peer.chunks.length - before).toBe(1)
  })

  it('a silent client is pinged, and cut when no pong comes', async () => {
    const { port, recorder } = await serveSockets({}, { idleTimeoutSeconds: 8 })
    const peer = await dial(port)
    peer.write(request('GET', '/ws', upgradeHeaders))
    await recorder.socket
    expect(await recorder.gone).toMatch(/^1006/)
    // A ping without payload.
    expect(peer.text().slice(-2)).toBe('\x89\x00')
  }, 30_000)

  it.each([0, 960])(
    'with an idle timeout of %d s is pinged again and again by the interval',
    async (idleTimeoutSeconds) => {
      const { port, recorder, transport } = await serveSockets({}, { idleTimeoutSeconds, pingIntervalSeconds: 1 })
      const peer = await dial(port)
      const gone = await dial(port)
      for (const each of [peer, gone]) each.write(request('GET', '/ws', upgradeHeaders))
      await recorder.socket
      await gone.until(/\r\n\r\n/)
      gone.socket.destroy()
      const before = transport.acceptedBytes
      await peer.until(/(?:\x89\0){2}$/)
      expect(transport.acceptedBytes).toBeGreaterThan(before)
    },
  )

  it('a close that the client starts is told with its code and reason', async () => {
    const { port, recorder } = await serveSockets()
    const client = join(port)
    await client.opened
    client.ws.close(4005, 'grüße')
    expect(await recorder.gone).toBe('4005 grüße')
  })
})

describe('upgrades over uWebSockets.js', () => {
  it('accepted long after the callback, with what was copied in it', async () => {
    const caught = catcher<UpgradeRequest>()
    const { port } = await serve({ upgrade: caught.handle })
    const client = join(port, '/ws?a=1', ['twin', 'other'])
    const upgrade = await caught.next
    await new Promise((resolve) => setImmediate(resolve))
    expect([upgrade.path, upgrade.query, upgrade.header('sec-websocket-protocol')]).toEqual([
      '/ws',
      'a=1',
      'twin,other',
    ])
    const recorder = record({ message: () => {} })
    upgrade.accept(recorder, 'twin')
    await client.opened
    expect(client.ws.protocol).toBe('twin')
    client.ws.send('hello')
    client.ws.close(1000)
    await recorder.gone
    expect(recorder.log).toEqual(['opened', 'text hello', 'closed 1000'])
  })

  it('many late upgrades all stay open (uWebSockets#1929)', async () => {
    const { port } = await serve({
      upgrade: (upgrade) =>
        setImmediate(() => upgrade.accept(record({ opened: (socket) => void socket.send('hi', false) }))),
    })
    const clients = Array.from({ length: 50 }, () => join(port))
    expect(await Promise.all(clients.map((client) => client.next()))).toEqual(clients.map(() => 'hi'))
    expect(clients.every((client) => client.ws.readyState === client.ws.OPEN)).toBe(true)
  })

  it('nothing is upgraded after an abort, and the abort is told once', async () => {
    const caught = catcher<UpgradeRequest>()
    const told = vi.fn()
    const aborted = deferred<void>()
    const { port, faults } = await serve({
      upgrade: (upgrade) => {
        upgrade.onAborted(told)
        upgrade.onAborted(() => aborted.resolve())
        caught.handle(upgrade)
      },
    })
    const peer = await dial(port)
    peer.write(request('GET', '/ws', upgradeHeaders))
    const upgrade = await caught.next
    peer.socket.destroy()
    await aborted.promise
    const recorder = record()
    upgrade.accept(recorder)
    upgrade.reject(401, [], 'late')
    expect([upgrade.aborted, told.mock.calls.length, recorder.log, faults]).toEqual([true, 1, [], []])
  })

  it('without a proper key it is a plain request', async () => {
    const caught = catcher<HttpExchange>()
    const { port } = await serve({ request: caught.handle })
    const peer = await dial(port)
    peer.write(request('GET', '/ws', { ...upgradeHeaders, 'sec-websocket-key': 'short' }))
    const exchange = await caught.next
    exchange.respond(426, [['upgrade', 'websocket']], null)
    expect(await peer.until(/\r\n\r\n/)).toContain('426 Upgrade Required\r\nupgrade: websocket')
  })

  it('the address is known before and after the socket opened', async () => {
    const addresses: string[] = []
    const done = deferred<void>()
    const { port } = await serve({
      upgrade: (upgrade) => {
        addresses.push(upgrade.address)
        setImmediate(() => {
          upgrade.accept(record())
          addresses.push(upgrade.address)
          done.resolve()
        })
      },
    })
    join(port)
    await done.promise
    expect(addresses).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('a throw in the handler is a fault and a bare 500', async () => {
    const { port, faults } = await serve({
      upgrade: () => {
        throw new Error('boom')
      },
    })
    const peer = await dial(port)
    peer.write(request('GET', '/ws', upgradeHeaders))
    expect(await peer.until(/\r\n\r\n/)).toContain('500 Internal Server Error')
    expect(faults).toMatchObject([{ message: 'boom' }])
  })

  it('a refusal goes out whole and leaves the connection usable', async () => {
    const { port } = await serve({ upgrade: (upgrade) => upgrade.reject(401, [['x-why', 'token']], 'no') })
    const peer = await dial(port)
    peer.write(request('GET', '/ws', upgradeHeaders))
    expect(await peer.until(/no$/)).toContain('401 Unauthorized\r\nx-why: token\r\n')
    peer.write(request('GET', '/other'))
    await peer.until(/404 Not Found/)
  })
})
