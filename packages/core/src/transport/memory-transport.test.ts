import { afterEach, describe, expect, it, vi } from 'vitest'
import { createVirtualClock } from '../clock/virtual-clock.ts'
import { memoryRawClient } from '../testing/memory-raw-client.ts'
import { type MemoryTransport, type MemoryTransportOptions, memoryTransport } from './memory-transport.ts'
import { defaultSocketLimits } from './socket-limits.ts'
import { type HttpExchange, SendResult, type Socket, type SocketLimits, type TransportHandlers } from './transport.ts'
import { describeTransportContract } from './transport-contract.ts'

describeTransportContract('memory transport', {
  createTransport: memoryTransport,
  // The suite hands back what createTransport made.
  createClient: (transport) => memoryRawClient(transport as MemoryTransport),
})

const kib = 1024
const quiet = { opened() {}, message() {}, closed() {} }
const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('memory transport: what only it can show', () => {
  const running: MemoryTransport[] = []

  afterEach(async () => {
    for (const transport of running.splice(0)) await transport.close()
  })

  async function serve(
    handlers: Partial<TransportHandlers> = {},
    limits: Partial<SocketLimits> = {},
    options: MemoryTransportOptions = {},
  ) {
    const transport = memoryTransport(options)
    running.push(transport)
    await transport.listen(
      { host: '127.0.0.1', port: 0, websocketPath: '/ws', limits: { ...defaultSocketLimits, ...limits } },
      {
        request: (exchange) => exchange.respond(200, [], null),
        upgrade: (request) => request.accept(quiet),
        fault: (error) => expect.fail(String(error)),
        ...handlers,
      },
    )
    return { transport, client: memoryRawClient(transport) }
  }

  async function open(limits: Partial<SocketLimits> = {}, options: MemoryTransportOptions = {}) {
    const servers: Socket[] = []
    const message = vi.fn()
    const closed = vi.fn()
    const { transport, client } = await serve(
      { upgrade: (request) => request.accept({ opened: (socket) => servers.push(socket), message, closed }) },
      limits,
      options,
    )
    const socket = await client.connect()
    const [server] = servers
    if (server === undefined) throw new Error('not opened')
    return { transport, client, socket, server, message, closed }
  }

  it('takes the address from the client, in IPv4 also when it is mapped, and says what it is told of TLS', async () => {
    const heads: unknown[] = []
    const { client } = await serve(
      {
        request: (exchange) => {
          heads.push([exchange.method, exchange.address, exchange.secure])
          exchange.respond(204, [], null)
        },
      },
      {},
      { secure: true },
    )
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1']) {
      await client.request({ method: 'get', path: '/', address })
    }
    expect(heads).toEqual([
      ['GET', '10.1.2.3', true],
      ['GET', '10.1.2.3', true],
      ['GET', '2001:db8::1', true],
    ])
  })

  it('delivers in later macrotasks, one frame each, so that promises settle in between', async () => {
    const { socket, server, message } = await open()
    const order: string[] = []
    message.mockImplementation(() => {
      order.push('message')
      void Promise.resolve().then(() => order.push('its promise'))
    })
    socket.send('a')
    socket.send('b')
    server.send('back', false)
    await Promise.resolve()
    expect([order, socket.frames]).toEqual([[], []])
    await macrotask()
    await macrotask()
    expect(order).toEqual(['message', 'its promise', 'message', 'its promise'])
    expect(socket.frames).toHaveLength(1)
  })

  it('detaches the message itself, and when the listener throws too', async () => {
    const kept: ArrayBuffer[] = []
    const fault = vi.fn()
    const { client } = await serve({
      fault,
      upgrade: (request) =>
        request.accept({
          ...quiet,
          message: (data) => {
            kept.push(data)
            throw new Error('oops')
          },
        }),
    })
    const socket = await client.connect()
    socket.send('gone')
    await socket.closed
    expect(fault).toHaveBeenCalledTimes(1)
    expect(() => new Uint8Array(kept[0] ?? new ArrayBuffer(0))).toThrow(TypeError)
  })

  it('counts back pressure to the byte: the crossing frame goes, the next does not', async () => {
    const { socket, server } = await open({ maxBackpressureBytes: 1024 })
    socket.pause()
    // 1020 bytes take a frame header of 4: exactly the limit, which is not yet past it.
    expect(server.send(new Uint8Array(1020), true)).toBe(SendResult.queued)
    expect(server.bufferedBytes()).toBe(1024)
    expect(server.send('crosses', false)).toBe(SendResult.queued)
    expect(server.bufferedBytes()).toBe(1024 + 9)
    expect(server.send('x', false)).toBe(SendResult.dropped)
    expect(server.bufferedBytes()).toBe(1024 + 9)
    socket.resume()
    expect((await socket.next()).data).toHaveLength(1020)
    expect((await socket.next()).data).toBe('crosses')
    expect(server.bufferedBytes()).toBe(0)
    expect(server.send('x', false)).toBe(SendResult.sent)
    expect((await socket.next()).data).toBe('x')
  })

  it('holds what was sent before the pause, and keeps the order over several pauses', async () => {
    const { socket, server } = await open()
    server.send('1', false)
    socket.pause()
    server.send('2', false)
    await macrotask()
    expect(socket.frames).toEqual([])
    socket.resume()
    server.send('3', false)
    socket.pause()
    server.send('4', false)
    await macrotask()
    expect(socket.frames).toEqual([])
    socket.resume()
    server.send('5', false)
    const seen: unknown[] = []
    for (let count = 0; count < 5; count += 1) seen.push((await socket.next()).data)
    expect(seen).toEqual(['1', '2', '3', '4', '5'])
  })

  it('sends the close frame after what is queued for a paused client', async () => {
    const { socket, server } = await open()
    socket.pause()
    server.send('queued', false)
    server.end(1013, 'slow')
    await macrotask()
    expect(socket.frames).toEqual([])
    socket.resume()
    expect((await socket.next()).data).toBe('queued')
    expect(await socket.closed).toEqual({ code: 1013, reason: 'slow' })
  })

  it('loses the close frame past the back pressure limit, as the native layer does', async () => {
    const { socket, server, closed } = await open({ maxBackpressureBytes: 1024 })
    socket.pause()
    while (server.send(new Uint8Array(1000), true) !== SendResult.dropped);
    server.end(1013, 'slow')
    expect(closed.mock.calls).toEqual([[1013, 'slow']])
    socket.resume()
    expect(await socket.closed).toEqual({ code: 1006, reason: '' })
  })

  it('cuts a paused client that has not taken its close frame when the transport closes', async () => {
    const { transport, socket, server, closed } = await open()
    socket.pause()
    server.send('never taken', false)
    server.end(1012, '')
    await transport.close()
    socket.resume()
    expect((await socket.closed).code).toBe(1006)
    expect(closed).toHaveBeenCalledTimes(1)
  })

  it('answers a client that got text which is no UTF-8 as clients do', async () => {
    const { socket, server, closed } = await open()
    server.send(new Uint8Array([0xff]), false)
    expect((await socket.closed).code).toBe(1006)
    expect(closed.mock.calls).toEqual([[1007, '']])
  })

  it('rejects the client when the sub-protocols do not agree', async () => {
    const closed = vi.fn()
    const { client } = await serve({
      upgrade: (request) => request.accept({ ...quiet, closed }, request.query === 'none' ? '' : 'mine, bearer.x'),
    })
    await expect(client.connect({ protocols: ['yours'] })).rejects.toThrow('sub-protocol')
    await expect(client.connect({ protocols: ['mine'], path: '/ws?none' })).rejects.toThrow('sub-protocol')
    await vi.waitFor(() =>
      expect(closed.mock.calls).toEqual([
        [1006, ''],
        [1006, ''],
      ]),
    )
    expect((await client.connect({ protocols: ['mine'] })).protocol).toBe('mine')
  })

  it('cuts a client that leaves between accept and its socket', async () => {
    const closed = vi.fn()
    const leaving = new AbortController()
    const { client } = await serve({
      upgrade: (request) => {
        request.accept({ ...quiet, closed })
        leaving.abort()
      },
    })
    await expect(client.connect({ signal: leaving.signal })).rejects.toMatchObject({ name: 'AbortError' })
    await vi.waitFor(() => expect(closed.mock.calls).toEqual([[1006, '']]))
  })

  it('buffers 64 KiB of a body and takes no more until it is read', async () => {
    const exchanges: HttpExchange[] = []
    const { client } = await serve({ request: (exchange) => exchanges.push(exchange) })
    let taken = 0
    async function* body(): AsyncGenerator<Uint8Array> {
      for (; taken < 20; taken += 1) yield new Uint8Array(16 * kib)
    }
    const answer = client.request({ method: 'POST', path: '/', body: body() })
    for (let turn = 0; turn < 20; turn += 1) await macrotask()
    expect(taken).toBeLessThanOrEqual(4)
    const [exchange] = exchanges
    exchange?.readBody(1024 * kib, (whole) => exchange.respond(200, [['x-bytes', String(whole.length)]], null))
    expect((await answer).headers['x-bytes']).toBe(String(20 * 16 * kib))
  })

  it('waits for a body that is shorter than declared, and stops at the length of one that is longer', async () => {
    const done = vi.fn()
    const { client } = await serve({ request: (exchange) => exchange.readBody(kib, done) })
    async function* five(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(5)
    }
    const leaving = new AbortController()
    const send = (length: string) =>
      client.request({
        method: 'POST',
        path: '/',
        headers: { 'Content-Length': length },
        body: five(),
        signal: leaving.signal,
      })
    const short = expect(send('6')).rejects.toThrow()
    for (let turn = 0; turn < 5; turn += 1) await macrotask()
    expect(done).not.toHaveBeenCalled()
    const long = expect(send('4')).rejects.toThrow()
    await vi.waitFor(() => expect(done.mock.calls).toEqual([[new Uint8Array(4)]]))
    leaving.abort()
    await short
    await long
  })

  it('takes a body that throws for a client that leaves', async () => {
    const done = vi.fn()
    const { client } = await serve({ request: (exchange) => exchange.readBody(kib, done) })
    // biome-ignore lint/correctness/useYield: it fails before the first piece
    async function* broken(): AsyncGenerator<Uint8Array> {
      throw new Error('disk is gone')
    }
    await expect(client.request({ method: 'POST', path: '/', body: broken() })).rejects.toThrow('disk is gone')
    await vi.waitFor(() => expect(done.mock.calls).toEqual([['aborted']]))
  })

  it('refuses limits that the native layer would not survive', async () => {
    await expect(serve({}, { idleTimeoutSeconds: 3 })).rejects.toMatchObject({ code: 'bad_option' })
  })

  it('refuses a second listen, and clients before the first', async () => {
    const { transport } = await serve()
    const again = transport.listen(
      { host: '', port: 0, websocketPath: '/ws', limits: defaultSocketLimits },
      { request() {}, upgrade() {}, fault() {} },
    )
    await expect(again).rejects.toMatchObject({ code: 'wrong_state' })
    await expect(memoryTransport().request({ method: 'GET', path: '/' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })

  it('is not stopped by fake timers of the test', async () => {
    vi.useFakeTimers()
    try {
      const { client } = await serve()
      expect((await client.request({ method: 'GET', path: '/' })).status).toBe(200)
    } finally {
      vi.useRealTimers()
    }
  })

  describe('with a clock', () => {
    it('cuts a silent client at the idle time-out when pings are off; a frame starts it anew', async () => {
      const clock = createVirtualClock()
      const { socket, closed } = await open({ idleTimeoutSeconds: 10, sendPings: false }, { clock })
      await clock.advance(9000)
      socket.send('x')
      await clock.advance(9000)
      expect(closed).not.toHaveBeenCalled()
      await clock.advance(1000)
      expect(closed.mock.calls.map(([code]) => code)).toEqual([1006])
      expect((await socket.closed).code).toBe(1006)
      expect(clock.pendingTimers).toBe(0)
    })

    it('keeps a silent client that answers pings, and cuts one that does not read', async () => {
      const clock = createVirtualClock()
      const { socket, closed } = await open({ idleTimeoutSeconds: 10 }, { clock })
      await clock.advance(60_000)
      expect(closed).not.toHaveBeenCalled()
      socket.pause()
      await clock.advance(20_000)
      expect(closed).toHaveBeenCalledTimes(1)
    })

    it('ends a socket at its greatest age', async () => {
      const clock = createVirtualClock()
      const { socket } = await open({ maxLifetimeMinutes: 2 }, { clock })
      await clock.advance(120_000)
      expect(await socket.closed).toEqual({ code: 1000, reason: 'please reconnect' })
      expect(clock.pendingTimers).toBe(0)
    })

    it('leaves no timer behind a socket that closed', async () => {
      const clock = createVirtualClock()
      const { socket, server } = await open({ maxLifetimeMinutes: 2 }, { clock })
      expect(clock.pendingTimers).toBe(2)
      server.close()
      await socket.closed
      expect(clock.pendingTimers).toBe(0)
    })
  })
})
