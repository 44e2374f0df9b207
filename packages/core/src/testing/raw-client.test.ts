import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { defaultSocketLimits } from '../transport/socket-limits.ts'
import { memoryRawClient } from './memory-raw-client.ts'
import { memoryTransport } from './memory-transport/memory-transport.ts'
import { networkRawClient } from './network-raw-client.ts'
import type { RawClient, RawSocket } from './raw-client.ts'
import { UpgradeRefused } from './raw-types.ts'

interface Running {
  readonly client: RawClient
  stop(): Promise<void>
}

/** Both servers do the same: sockets obey commands sent as text, '/refuse' is refused, HTTP echoes. */
const refusal = { status: 403, headers: { 'x-why': 'origin' }, body: 'not from there' }

function obey(
  socket: { send(data: string | Uint8Array): void; close(code: number, reason: string): void },
  text: string,
) {
  if (text === 'text') socket.send('grüße')
  if (text === 'bytes') socket.send(new Uint8Array([1, 2]))
  if (text === 'close') socket.close(4001, 'bad token')
}

async function runMemory(): Promise<Running> {
  const transport = memoryTransport()
  await transport.listen(
    { host: '127.0.0.1', port: 0, websocketPath: '/ws', limits: defaultSocketLimits },
    {
      upgrade: (request) => {
        if (request.query === 'refuse') return request.reject(refusal.status, [['x-why', 'origin']], refusal.body)
        request.accept(
          {
            opened(socket) {
              this.message = (data) =>
                obey(
                  {
                    send: (reply) => void socket.send(reply, typeof reply !== 'string'),
                    close: (code, reason) => socket.end(code, reason),
                  },
                  new TextDecoder().decode(data),
                )
            },
            message() {},
            closed() {},
          },
          request.header('sec-websocket-protocol'),
        )
      },
      request: (exchange) =>
        exchange.readBody(1024, (body) =>
          exchange.respond(
            200,
            [['x-seen', `${exchange.method} ${exchange.header('x-one')} ${exchange.address}`]],
            typeof body === 'string' ? body : new Uint8Array(body),
          ),
        ),
      fault: (error) => expect.fail(String(error)),
    },
  )
  return { client: memoryRawClient(transport), stop: () => transport.close() }
}

async function runNetwork(): Promise<Running> {
  const server: Server = createServer((request, response) => {
    response.setHeader('x-seen', `${request.method} ${request.headers['x-one'] ?? ''} ${request.socket.remoteAddress}`)
    request.pipe(response)
  })
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.endsWith('refuse')) {
      socket.end(`HTTP/1.1 403 Forbidden\r\nx-why: origin\r\ncontent-length: 14\r\n\r\n${refusal.body}`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => ws.on('message', (data) => obey(ws, String(data))))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { client: networkRawClient({ port }), stop }
}

describe.each([
  ['over memory', runMemory],
  ['over the network', runNetwork],
])('the raw client %s', (_name, run) => {
  let running: Running
  let client: RawClient

  beforeEach(async () => {
    running = await run()
    client = running.client
  })

  afterEach(async () => {
    await client.close()
    await running.stop()
  })

  async function connectAnd(command: string): Promise<RawSocket> {
    const socket = await client.connect()
    socket.send(command)
    return socket
  }

  it('returns frames in order, those that waited and those awaited', async () => {
    const socket = await connectAnd('text')
    await vi.waitFor(() => expect(socket.frames).toHaveLength(1), 15_000)
    const first = socket.next()
    const second = socket.next()
    socket.send('bytes')
    expect(await first).toEqual({ data: 'grüße', binary: false })
    expect(await second).toEqual({ data: new Uint8Array([1, 2]), binary: true })
    expect(socket.frames).toEqual([])
  })

  it('rejects a next that waited, and every later one, with the code of the closure', async () => {
    const socket = await client.connect()
    const waiting = expect(socket.next()).rejects.toThrow('closed with 4001 (bad token)')
    socket.send('close')
    await waiting
    expect(await socket.closed).toEqual({ code: 4001, reason: 'bad token' })
    await expect(socket.next()).rejects.toThrow('4001')
  })

  it('still returns what came before the closure', async () => {
    const socket = await connectAnd('text')
    socket.send('close')
    await socket.closed
    expect((await socket.next()).data).toBe('grüße')
    await expect(socket.next()).rejects.toThrow('4001')
  })

  it('rejects a next that waits too long, and gives the frame to the one after it', async () => {
    const socket = await client.connect()
    await expect(socket.next(20)).rejects.toThrow('No frame arrived within 20 ms')
    socket.send('text')
    expect((await socket.next()).data).toBe('grüße')
  })

  it('closes with a code that comes back, and refuses one that a client may not send', async () => {
    const socket = await client.connect()
    expect(() => socket.close(1006)).toThrow(TypeError)
    socket.close(4000, 'bye')
    expect(await socket.closed).toEqual({ code: 4000, reason: 'bye' })
    socket.send('ignored')
    socket.close()
    socket.terminate()
  })

  it('terminates', async () => {
    const socket = await client.connect()
    socket.terminate()
    expect(await socket.closed).toEqual({ code: 1006, reason: '' })
  })

  it('does not hear while it pauses', async () => {
    const socket = await client.connect()
    socket.pause()
    socket.send('text')
    await expect(socket.next(30)).rejects.toThrow('No frame')
    socket.resume()
    expect((await socket.next()).data).toBe('grüße')
  })

  it('closes all of its sockets, paused ones too', async () => {
    const sockets = [await client.connect(), await client.connect()]
    sockets[0]?.pause()
    await client.close()
    for (const socket of sockets) expect((await socket.closed).code).toBe(1006)
  })

  it('rejects a refused upgrade with the answer', async () => {
    const error = await client.connect({ path: '/ws?refuse' }).catch((reason) => reason)
    expect(error).toBeInstanceOf(UpgradeRefused)
    expect(error).toMatchObject({ status: 403, headers: { 'x-why': 'origin' } })
    expect(new TextDecoder().decode(error.body)).toBe(refusal.body)
    expect(error.message).toContain('403')
  })

  it('offers sub-protocols', async () => {
    expect((await client.connect({ protocols: ['twin'] })).protocol).toBe('twin')
    expect((await client.connect()).protocol).toBe('')
  })

  it('does not start what was aborted before', async () => {
    const signal = AbortSignal.abort(new Error('never mind'))
    await expect(client.connect({ signal })).rejects.toThrow('never mind')
    await expect(client.request({ method: 'GET', path: '/', signal })).rejects.toThrow('never mind')
  })

  it('sends requests with text, bytes and pieces, from an address', async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array([1])
      yield new Uint8Array([2])
    }
    for (const body of ['\u0001\u0002', new Uint8Array([1, 2]), pieces()]) {
      const response = await client.request({
        method: 'PUT',
        path: '/echo?x',
        headers: { 'X-One': 'yes' },
        address: '127.0.0.2',
        body,
      })
      expect(response.status).toBe(200)
      expect(response.headers['x-seen']).toBe('PUT yes 127.0.0.2')
      expect(response.body).toEqual(new Uint8Array([1, 2]))
    }
  })
})

describe('the raw client over the network', () => {
  it('says what to install when ws is missing', async () => {
    vi.resetModules()
    vi.doMock('ws', () => {
      throw new Error('Cannot find package')
    })
    const { networkRawClient } = await import('./network-raw-client.ts')
    const connecting = networkRawClient({ port: 1 }).connect()
    await expect(connecting).rejects.toMatchObject({
      code: 'missing_peer',
      message: expect.stringContaining('npm install'),
    })
    vi.doUnmock('ws')
  })

  it('rejects when no server listens', async () => {
    const client = networkRawClient({ port: 1 })
    await expect(client.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(client.request({ method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
