import * as vitest from 'vitest'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defaultSocketLimits } from '../../transport/socket-limits.ts'
import type { HttpExchange, SocketLimits, TransportHandlers } from '../../transport/transport.ts'
import { memoryRawClient } from '../memory-raw-client.ts'
import { transportSuite } from '../suites/transport.suite.ts'
import { type MemoryTransport, type MemoryTransportOptions, memoryTransport } from './memory-transport.ts'

describe('memory transport', () => {
  transportSuite(vitest, {
    createTransport: memoryTransport,
    // The suite passes what createTransport made.
    createClient: (transport) => memoryRawClient(transport as MemoryTransport),
  })
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

  it('takes the address from the client, in IPv4 also when it is mapped, and says whether it is secure', async () => {
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

  it('rejects the client when the sub-protocols do not agree', async () => {
    const closed = vi.fn()
    const { client } = await serve({
      upgrade: (request) => request.accept({ ...quiet, closed }, request.query === 'none' ? '' : 'mine, bearer.x'),
    })
    await expect(client.connect({ protocols: ['yours'] })).rejects.toThrow('sub-protocol')
    await expect(client.connect({ protocols: ['mine'], path: '/ws?none' })).rejects.toThrow('sub-protocol')
    await vi.waitFor(() => expect(closed.mock.calls.map(([code]) => code)).toEqual([1006, 1006]), 15_000)
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
    await vi.waitFor(() => expect(closed.mock.calls.map(([code]) => code)).toEqual([1006]), 15_000)
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

  it('says that it closes the connection when a body was not read', async () => {
    const { client } = await serve()
    const post = { method: 'POST', path: '/', body: 'unread' }
    expect((await client.request(post)).headers.connection).toBe('close')
    expect((await client.request({ method: 'GET', path: '/' })).headers.connection).toBeUndefined()
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
    await vi.waitFor(() => expect(done.mock.calls).toEqual([[new Uint8Array(4)]]), 15_000)
    leaving.abort()
    await short
    await long
  })

  it('takes a body that throws for a client that leaves', async () => {
    const done = vi.fn()
    const { client } = await serve({ request: (exchange) => exchange.readBody(kib, done) })
    // biome-ignore lint/correctness/useYield: it fails before the first piece
    async function* broken(): AsyncGenerator<Uint8Array> {
      throw new Error('disk failed')
    }
    await expect(client.request({ method: 'POST', path: '/', body: broken() })).rejects.toThrow('disk failed')
    await vi.waitFor(() => expect(done.mock.calls).toEqual([['aborted']]), 15_000)
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
})
