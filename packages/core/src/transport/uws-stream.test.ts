import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import type { HttpExchange, ResponseStream } from './transport.ts'
import { catcher, deferred, dial, request, serve } from './uws-fixture.ts'

const mib = 1024 * 1024
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('streams over uWebSockets.js', () => {
  it('a slow client holds the writer back, and gets every byte in order', async () => {
    const caught = catcher<HttpExchange>()
    const { port } = await serve({ request: caught.handle })
    const peer = await dial(port)
    peer.write(request('GET', '/'))
    const stream = (await caught.next).stream(200, [['x-a', '1']])
    peer.socket.pause()
    let written = 0
    let done = false
    const total = 48
    const writing = (async () => {
      for (; written < total; written++) expect(await stream.write(Buffer.alloc(mib, 97 + (written % 26)))).toBe(true)
      stream.end()
      done = true
    })()
    let before = -1
    while (before !== written) {
      before = written
      for (let i = 0; i < 5; i++) await turn()
    }
    expect(written).toBeLessThan(total / 2)
    expect(done).toBe(false)
    peer.socket.resume()
    await writing
    // Not by all of it: to look through so much at each arrival takes longer than the transfer.
    const tail = (): string => Buffer.concat(peer.chunks.slice(-8)).subarray(-7).toString('latin1')
    while (tail() !== '\r\n0\r\n\r\n') await once(peer.socket, 'data')
    const body = unchunk(Buffer.concat(peer.chunks))
    expect(body.byteLength).toBe(total * mib)
    for (let i = 0; i < total; i++) expect(body[i * mib + (i % mib)]).toBe(97 + (i % 26))
  }, 120_000)

  it('writes what comes late after a stall, though uWS drains nothing by itself', async () => {
    const caught = catcher<HttpExchange>()
    const { port } = await serve({ request: caught.handle })
    const peer = await dial(port)
    peer.write(request('GET', '/'))
    const stream = (await caught.next).stream(200, [])
    peer.socket.pause()
    let more = true
    let size = 0
    // Until one write has to wait: what is buffered then must arrive without any further write.
    while (more) {
      size += 200_000
      const waiting = stream.write(Buffer.alloc(200_000, 'x'))
      more =
        (await Promise.race([
          waiting,
          turn()
            .then(turn)
            .then(() => 'waits'),
        ])) === true
    }
    peer.socket.resume()
    await vi.waitFor(() => expect(unchunk(Buffer.concat(peer.chunks)).byteLength).toBe(size), 15_000)
    stream.end()
    await peer.until(/\r\n0\r\n\r\n$/)
  })

  it('keeps the order of writes that are not awaited, and ends after them', async () => {
    const { port } = await serve({
      request: (exchange) => {
        const stream = exchange.stream(200, [])
        for (const part of ['a', 'b'.repeat(40_000), '', 'c']) void stream.write(part)
        stream.end()
        void stream.write('late')
      },
    })
    const body = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    expect(body).toBe(`a${'b'.repeat(40_000)}c`)
  })

  it('tells the writer that the client has disconnected, and calls nothing native then', async () => {
    const caught = catcher<HttpExchange>()
    const aborted = deferred<void>()
    const { port, faults } = await serve({ request: caught.handle })
    const peer = await dial(port)
    peer.write(request('GET', '/'))
    const exchange = await caught.next
    exchange.onAborted(() => aborted.resolve())
    const stream = exchange.stream(200, [])
    peer.socket.pause()
    const writes = Promise.all(Array.from({ length: 50 }, () => stream.write(Buffer.alloc(mib))))
    peer.socket.destroy()
    await aborted.promise
    expect((await writes).at(-1)).toBe(false)
    expect(await stream.write('late')).toBe(false)
    stream.end()
    stream.abort()
    expect(faults).toEqual([])
  })

  it('that lets go of its exchange tells its listener alone that the client has disconnected, and not of its own abort', async () => {
    const told: string[] = []
    const exchanges: HttpExchange[] = []
    const { port } = await serve({ request: (exchange) => void exchanges.push(exchange) })
    const next = (): Promise<HttpExchange> =>
      vi.waitFor(() => {
        const exchange = exchanges.shift()
        if (exchange === undefined) throw new Error('No request yet')
        return exchange
      })
    const open = async (name: string) => {
      const peer = await dial(port)
      peer.write(request('GET', '/'))
      const exchange = await next()
      exchange.onAborted(() => told.push('the exchange'))
      const stream = exchange.stream(200, [])
      stream.detach?.({ left: () => told.push(`${name}, open: ${stream.open}`) })
      expect(await stream.write('x')).toBe(true)
      await peer.until(/x/)
      expect(exchange.header('host')).not.toBe('')
      return { peer, stream }
    }
    const first = await open('first')
    first.peer.socket.destroy()
    await vi.waitFor(() => expect(told).toEqual(['first, open: false']))
    const second = await open('second')
    second.stream.abort()
    await once(second.peer.socket, 'close')
    const third = await open('third')
    third.stream.end()
    await third.peer.until(/\r\n0\r\n\r\n$/)
    third.peer.write(request('GET', '/'))
    ;(await next()).respond(200, [], 'next')
    await third.peer.until(/next/)
    third.peer.socket.destroy()
    await once(third.peer.socket, 'close')
    expect(told).toHaveLength(1)
  })

  it('a stream before the end of a request body waits for it with its own end', async () => {
    const streams: ResponseStream[] = []
    const { port } = await serve({
      request: (exchange) => {
        const stream = exchange.stream(200, [])
        streams.push(stream)
        void stream.write(`<${exchange.path}>`)
        stream.end()
      },
    })
    const peer = await dial(port)
    peer.write(request('POST', '/1', { 'content-length': '200000' }, 'x'.repeat(100_000)))
    await peer.until(/<\/1>/)
    expect(peer.text()).not.toMatch(/0\r\n\r\n$/)
    peer.write('x'.repeat(100_000))
    await peer.until(/<\/1>\r\n0\r\n\r\n$/)
    peer.write(request('GET', '/2'))
    await peer.until(/<\/2>/)
  })

  it('serves the next request of the connection after a stream', async () => {
    const { port } = await serve({
      request: (exchange) => {
        const stream = exchange.stream(200, [])
        void stream.write(`<${exchange.path}>`).then(() => stream.end())
      },
    })
    const peer = await dial(port)
    for (const path of ['/1', '/2', '/3']) {
      peer.write(request('GET', path))
      await peer.until(new RegExp(`<${path}>\r\n0\r\n\r\n$`))
    }
  })
})

/** The body of a chunked answer, as much of it as is whole. */
function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = bytes.indexOf('\r\n\r\n') + 4
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    const size = line === -1 ? 0 : Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (!(size > 0) || line + 2 + size > bytes.length) return Buffer.concat(parts)
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
