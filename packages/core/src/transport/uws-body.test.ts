import { describe, expect, it, vi } from 'vitest'
import type { BodyFailure, HttpExchange } from './transport.ts'
import { catcher, deferred, dial, request, serve } from './uws-fixture.ts'

const kib = 1024
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const show = (body: Uint8Array | BodyFailure): string => (typeof body === 'string' ? body : `${body.byteLength} bytes`)

describe('request bodies over uWebSockets.js', () => {
  it('the bytes are their own, not the native ones that are detached', async () => {
    const bodies: Uint8Array[] = []
    const both = deferred<void>()
    const { port } = await serve({
      request: (exchange) =>
        exchange.readBody(kib, (body) => {
          bodies.push(body as Uint8Array)
          exchange.respond(200, [], null)
          if (bodies.length === 2) both.resolve()
        }),
    })
    const peer = await dial(port)
    peer.write(request('POST', '/', { 'content-length': '5' }, 'first'))
    peer.write(request('POST', '/', { 'transfer-encoding': 'chunked' }, `${chunk('sec')}${chunk('ond')}0\r\n\r\n`))
    await both.promise
    await turn()
    expect(bodies.map((body) => Buffer.from(body).toString())).toEqual(['first', 'second'])
    // Not slices of a pool that others read.
    expect(bodies.map((body) => body.buffer.byteLength)).toEqual([5, 6])
  })

  it('a body is read in the callback, later, in pieces, and on GET', async () => {
    const { port } = await serve({
      request: (exchange) => {
        const read = (): void => exchange.readBody(1000 * kib, (body) => exchange.respond(200, [], show(body)))
        if (exchange.path === '/now') read()
        else setImmediate(() => setImmediate(read))
      },
    })
    const peer = await dial(port)
    let answers = 0
    for (const method of ['POST', 'GET', 'DELETE'] as const) {
      for (const path of ['/now', '/later']) {
        peer.write(request(method, path, { 'content-length': '300000' }, 'x'.repeat(100_000)))
        await turn()
        peer.write('x'.repeat(200_000))
        answers += 1
        await peer.until(new RegExp(String.raw`(300000 bytes[\s\S]*){${answers}}`))
      }
    }
  })

  it('a declared length over the cap fails at once, and the answer goes out before the connection closes', async () => {
    const { port } = await serve({
      request: (exchange) => exchange.readBody(100, (body) => exchange.respond(413, [], show(body))),
    })
    const peer = await dial(port)
    peer.write(request('POST', '/', { 'content-length': '1000000' }, 'only the beginning'))
    await peer.closed
    expect(peer.text()).toContain('413 Payload Too Large\r\n')
    expect(peer.text()).toContain('Connection: close\r\n')
    expect(peer.text()).toMatch(/too_large$/)
  })

  it('a client that sends 8 MB against a small cap still gets the answer', async () => {
    const { port } = await serve({
      request: (exchange) =>
        setImmediate(() => exchange.readBody(100, (body) => exchange.respond(413, [], show(body)))),
    })
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: Buffer.alloc(8 * kib * kib) })
    expect([answer.status, await answer.text()]).toEqual([413, 'too_large'])
  })

  it('a refusal before a small body takes the body in, and the connection goes on', async () => {
    const { port } = await serve({ request: (exchange) => exchange.respond(401, [], `<${exchange.path}>`) })
    const peer = await dial(port)
    peer.write(request('POST', '/1', { 'content-length': '10' }, '12345'))
    await turn()
    peer.write(`GET /`)
    await turn()
    peer.write(`6${request('POST', '/2', { 'content-length': '3' }, 'abc')}`)
    expect((await peer.until(/<\/2>/)).match(/<\/\d>/g)).toEqual(['</1>', '</2>'])
    expect(peer.text()).not.toContain('Connection: close')
  })

  it('one that waits for leave to send gets it, and then the refusal', async () => {
    const { port } = await serve({ request: (exchange) => exchange.respond(401, [], 'no') })
    const peer = await dial(port)
    peer.write(request('POST', '/', { 'content-length': '10', expect: '100-continue' }))
    expect(await peer.until(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    peer.write('0123456789')
    expect(await peer.until(/no$/)).toContain('401 Unauthorized')
  })

  it('an abort while a refusal waits for the rest of the body does no harm', async () => {
    const aborted = deferred<void>()
    const caught = catcher<HttpExchange>()
    const { port, faults } = await serve({
      request: (exchange) => {
        exchange.onAborted(() => aborted.resolve())
        exchange.respond(401, [], 'no')
        caught.handle(exchange)
      },
    })
    const peer = await dial(port)
    peer.write(request('POST', '/', { 'content-length': '10' }, '123'))
    const exchange = await caught.next
    peer.socket.destroy()
    await aborted.promise
    exchange.respond(200, [], 'late')
    expect(faults).toEqual([])
  })

  it('done runs once, whatever comes after', async () => {
    const done = vi.fn()
    const aborted = deferred<void>()
    const { port } = await serve({
      request: (exchange) => {
        exchange.onAborted(() => aborted.resolve())
        exchange.readBody(10, done)
      },
    })
    const peer = await dial(port)
    peer.write(request('POST', '/', { 'transfer-encoding': 'chunked' }, chunk('x'.repeat(11))))
    await vi.waitFor(() => expect(done).toHaveBeenCalled(), 15_000)
    peer.write(chunk('more'))
    peer.socket.end()
    await aborted.promise
    expect(done.mock.calls).toEqual([['too_large']])
  })

  it('an unread body is held to 64 KiB and a receive, then the client is paused', async () => {
    const caught = catcher<HttpExchange>()
    const { port } = await serve({ request: caught.handle })
    const peer = await dial(port)
    const size = 64 * kib * kib
    peer.write(request('POST', '/', { 'content-length': String(size) }))
    const exchange = await caught.next
    peer.write(Buffer.alloc(size, 'x'))
    // The client cannot write it all: what is left stays with it while the loop turns.
    let before = -1
    while (before !== peer.socket.writableLength) {
      before = peer.socket.writableLength
      await turn()
      await turn()
    }
    expect(before).toBeGreaterThan(size / 2)
    exchange.readBody(size, (body) => exchange.respond(200, [], show(body)))
    await peer.until(new RegExp(`${size} bytes`))
  })

  it.each(['at once', 'in a microtask'])(
    'a chunked body with trailer fields is never passed on, read %s',
    async (when) => {
      const ended = deferred<Uint8Array | BodyFailure>()
      const { port } = await serve({
        request(exchange) {
          const read = (): void =>
            exchange.readBody(kib, (body) => {
              ended.resolve(body)
              exchange.respond(200, [], 'fine')
            })
          if (when === 'at once') read()
          else queueMicrotask(read)
        },
      })
      const peer = await dial(port)
      peer.write(request('POST', '/', { 'transfer-encoding': 'chunked' }, `${chunk('first')}0\r\nx-sum: 1\r\n\r\n`))
      await peer.closed
      expect(await ended.promise).toBe('aborted')
      expect(peer.text()).toContain('505 HTTP Version Not Supported')
    },
  )

  it('a chunked body with trailer fields, read in pieces, ends as aborted and never as complete', async () => {
    const ended = deferred<(string | null)[]>()
    const { port } = await serve({
      request(exchange) {
        const body = exchange.openBody(kib)
        const seen: (string | null)[] = []
        const read = (): void =>
          body.read((piece) => {
            seen.push(piece instanceof Uint8Array ? Buffer.from(piece).toString() : piece)
            if (piece instanceof Uint8Array) read()
            else ended.resolve(seen)
          })
        read()
      },
    })
    const peer = await dial(port)
    peer.write(request('POST', '/', { 'transfer-encoding': 'chunked' }, `${chunk('first')}0\r\nx-sum: 1\r\n\r\n`))
    await peer.closed
    expect(await ended.promise).toEqual(['first', 'aborted'])
  })

  it('a connection whose body was read in pieces, or cancelled near its end, serves the next request', async () => {
    const { port } = await serve({
      request(exchange) {
        const body = exchange.openBody(1000 * kib)
        const read = (): void =>
          body.read((piece) => {
            if (piece instanceof Uint8Array && exchange.path === '/all') return read()
            body.cancel()
            exchange.respond(200, [], `<${exchange.path}>`)
          })
        setImmediate(read)
      },
    })
    const peer = await dial(port)
    for (const [path, size] of [
      ['/all', 100_000],
      ['/part', 60_000],
      ['/part', 5],
      ['/all', 5],
    ] as const) {
      const before = peer.chunks.length
      peer.write(request('POST', path, { 'content-length': String(size) }, 'x'.repeat(size)))
      await vi.waitFor(() => expect(Buffer.concat(peer.chunks.slice(before)).toString()).toContain(`<${path}>`), 15_000)
    }
    expect(peer.text()).not.toContain('Connection: close')
  })

  it('a reader that throws is a fault, and the exchange gets a bare 500', async () => {
    const { port, faults } = await serve({
      request: (exchange) =>
        exchange.readBody(10, () => {
          throw new Error('boom')
        }),
    })
    const peer = await dial(port)
    peer.write(request('POST', '/', { 'content-length': '2' }))
    await turn()
    peer.write('ab')
    expect(await peer.until(/\r\n\r\n/)).toContain('500 Internal Server Error')
    expect(faults).toMatchObject([{ message: 'boom' }])
  })

  it('a broken length is refused', async () => {
    const { port } = await serve({ request: (exchange) => exchange.readBody(10, () => {}) })
    const peer = await dial(port)
    peer.write(request('POST', '/', { 'content-length': '-1' }, 'x'))
    await peer.closed
    expect(peer.text()).toContain('400 Bad Request')
  })
})
