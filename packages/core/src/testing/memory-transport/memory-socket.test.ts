import { afterEach, describe, expect, it, vi } from 'vitest'
import { defaultSocketLimits } from '../../transport/socket-limits.ts'
import { SendResult, type Socket, type SocketLimits } from '../../transport/transport.ts'
import { memoryRawClient } from '../memory-raw-client.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import { type MemoryTransport, type MemoryTransportOptions, memoryTransport } from './memory-transport.ts'

const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a socket of the memory transport', () => {
  const running: MemoryTransport[] = []

  afterEach(async () => {
    for (const transport of running.splice(0)) await transport.close()
  })

  async function open(limits: Partial<SocketLimits> = {}, options: MemoryTransportOptions = {}) {
    const servers: Socket[] = []
    const message = vi.fn()
    const closed = vi.fn()
    const fault = vi.fn()
    const transport = memoryTransport(options)
    running.push(transport)
    await transport.listen(
      { host: '127.0.0.1', port: 0, websocketPath: '/ws', limits: { ...defaultSocketLimits, ...limits } },
      {
        request: (exchange) => exchange.respond(404, [], null),
        upgrade: (request) => request.accept({ opened: (socket) => servers.push(socket), message, closed }),
        fault,
      },
    )
    const socket = await memoryRawClient(transport).connect()
    const [server] = servers
    if (server === undefined) throw new Error('not opened')
    return { transport, socket, server, message, closed, fault }
  }

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
    const { socket, message, fault } = await open()
    message.mockImplementation((data: ArrayBuffer) => {
      kept.push(data)
      throw new Error('oops')
    })
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

  it('sends the close frame past the back pressure limit too, unless close comes first', async () => {
    const overfull = async () => {
      const opened = await open({ maxBackpressureBytes: 1024 })
      opened.socket.pause()
      while (opened.server.send(new Uint8Array(1000), true) !== SendResult.dropped);
      opened.server.end(1013, 'slow')
      expect(opened.closed.mock.calls).toEqual([[1013, 'slow']])
      return opened
    }
    const patient = await overfull()
    patient.socket.resume()
    expect(await patient.socket.closed).toEqual({ code: 1013, reason: 'slow' })
    expect(patient.socket.frames).toHaveLength(2)
    const cut = await overfull()
    cut.server.close()
    cut.socket.resume()
    expect(await cut.socket.closed).toEqual({ code: 1006, reason: '' })
    expect(cut.socket.frames).toHaveLength(0)
    expect(cut.closed).toHaveBeenCalledTimes(1)
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

  it('answers a client that got text which is not UTF-8 as clients do', async () => {
    const { socket, server, closed } = await open()
    server.send(new Uint8Array([0xff]), false)
    expect((await socket.closed).code).toBe(1006)
    expect(closed.mock.calls).toEqual([[1007, '']])
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

    it('pings a silent client by the interval too, before a long idle time-out', async () => {
      const clock = createVirtualClock()
      const { socket, closed } = await open({ idleTimeoutSeconds: 120, pingIntervalSeconds: 50 }, { clock })
      await clock.advance(59_000)
      socket.pause()
      // The last pong came after 50 s.
      await clock.advance(110_000)
      expect(closed).not.toHaveBeenCalled()
      await clock.advance(1000)
      expect(closed.mock.calls.map(([code]) => code)).toEqual([1006])
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
