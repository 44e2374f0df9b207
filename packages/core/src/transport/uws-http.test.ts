import { describe, expect, it, vi } from 'vitest'
import type { HttpExchange } from './transport.ts'
import { catcher, deferred, dial, request, serve } from './uws-fixture.ts'

const ok = (exchange: HttpExchange): void => exchange.respond(200, [], exchange.path)

/** Lets the callback return and the loop turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('requests over uWebSockets.js', () => {
  it('nothing is called on a response that is over', async () => {
    const caught = catcher<HttpExchange>()
    const { port, faults } = await serve({ request: caught.handle })
    const peer = await dial(port)
    peer.write(request('GET', '/'))
    const exchange = await caught.next
    exchange.respond(200, [], 'first')
    exchange.respond(200, [], 'second')
    exchange.onAborted(() => faults.push('aborted'))
    expect(await exchange.stream(200, []).write('third')).toBe(false)
    exchange.readBody(10, (body) => expect(body).toBe('aborted'))
    expect(await peer.until(/first/)).not.toContain('second')
    expect(faults).toEqual([])
  })

  it('a handler that returns with neither an answer nor a listener does not end the process', async () => {
    const caught = catcher<HttpExchange>()
    const { port } = await serve({ request: caught.handle })
    const answer = fetch(`http://127.0.0.1:${port}/`)
    const exchange = await caught.next
    await turn()
    exchange.respond(200, [], 'at last')
    expect(await (await answer).text()).toBe('at last')
  })

  it('everything stays readable after the callback, and after the answer', async () => {
    const caught = catcher<HttpExchange>()
    const { port } = await serve({ request: caught.handle })
    const answer = fetch(`http://127.0.0.1:${port}/a%20b?x=%20&y`, { method: 'PUT', headers: { 'x-a': '1' } })
    const exchange = await caught.next
    await turn()
    const look = (): unknown => [
      exchange.method,
      exchange.path,
      exchange.query,
      exchange.address,
      exchange.header('x-a'),
    ]
    const expected = ['PUT', '/a%20b', 'x=%20&y', '127.0.0.1', '1']
    expect(look()).toEqual(expected)
    exchange.respond(200, [], null)
    expect(look()).toEqual(expected)
    await answer
  })

  it('an exchange answered in its callback keeps what was read of it, and throws for nothing else', async () => {
    const answered = deferred<HttpExchange>()
    const { port, faults } = await serve({
      request: (exchange) => {
        expect([exchange.path, exchange.header('x-a'), exchange.header('host')]).toEqual([
          '/here',
          '',
          `127.0.0.1:${port}`,
        ])
        exchange.respond(200, [], null)
        answered.resolve(exchange)
      },
    })
    await fetch(`http://127.0.0.1:${port}/here?q`)
    const exchange = await answered.promise
    await turn()
    expect(exchange.path).toBe('/here')
    expect([exchange.query, exchange.address]).toEqual(['', ''])
    // All header fields are copied when the first is read.
    expect(exchange.header('user-agent')).toBe('node')
    expect(exchange.headers()).toMatchObject({ host: `127.0.0.1:${port}`, 'user-agent': 'node' })
    expect(faults).toEqual([])
  })

  it.each(['at once', 'later'])('headers by lower-case name, repeated ones joined (%s)', async (when) => {
    const read = deferred<unknown>()
    const look = (exchange: HttpExchange): void => {
      read.resolve(['x-a', 'x-b', 'cookie', 'user-agent', 'constructor', 'x-none'].map((name) => exchange.header(name)))
      exchange.respond(200, [], null)
    }
    const { port } = await serve({
      request: (exchange) => (when === 'later' ? setImmediate(look, exchange) : look(exchange)),
    })
    const peer = await dial(port)
    const lines = [
      'X-A: 1',
      'X-B: 1',
      'x-b: 2',
      'Cookie: a=1',
      'cookie: b=2',
      'User-Agent: first',
      'user-agent: second',
    ]
    peer.write(`GET / HTTP/1.1\r\nHost: test\r\n${lines.join('\r\n')}\r\n\r\n`)
    expect(await read.promise).toEqual(['1', '1, 2', 'a=1; b=2', 'first', '', ''])
  })

  it.each(['at once', 'later'])(
    'an answer whose writing throws is a fault, and the process goes on (%s)',
    async (when) => {
      const answer = (exchange: HttpExchange): void => {
        // A plugin without types could do this.
        if (exchange.path === '/bad') Reflect.apply(exchange.respond, exchange, [200, [['x-a', '1']], 5])
        else exchange.respond(200, [], 'good')
      }
      const thrown: unknown[] = []
      const { port, faults } = await serve({
        request: (exchange) => {
          if (when === 'at once') return answer(exchange)
          setImmediate(() => {
            try {
              answer(exchange)
            } catch (error) {
              thrown.push(error)
            }
          })
        },
      })
      const peer = await dial(port)
      peer.write('GET /bad HTTP/1.1\r\nHost: test\r\n\r\n')
      await vi.waitFor(() => expect([...faults, ...thrown]).toHaveLength(1))
      expect(await (await fetch(`http://127.0.0.1:${port}/good`)).text()).toBe('good')
    },
  )

  it('a malformed request is answered, the connection closed, and nothing that comes behind is served', async () => {
    const served: string[] = []
    const { port, faults } = await serve({
      request(exchange) {
        served.push(exchange.path)
        exchange.respond(exchange.malformed === null ? 200 : 400, [], exchange.malformed)
      },
    })
    const twice = 'POST /1 HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab'
    const alone = await dial(port)
    alone.write(twice)
    await alone.closed
    expect(alone.text()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*Connection: close\r\n[\s\S]*: send it once$/)
    // In one read: uWS closes, since the first is pending when it sees the second.
    const followed = await dial(port)
    followed.write(`${twice}${request('GET', '/2')}`)
    await followed.closed
    expect([served, faults]).toEqual([['/1', '/1'], []])
  })

  it('an answer after the callback goes out in one piece', async () => {
    const caught = catcher<HttpExchange>()
    const { port } = await serve({ request: caught.handle })
    const peer = await dial(port)
    peer.write(request('GET', '/'))
    const exchange = await caught.next
    await turn()
    exchange.respond(
      404,
      [
        ['x-a', '1'],
        ['x-b', '2'],
        ['x-c', '3'],
      ],
      'body',
    )
    await peer.until(/body/)
    expect(peer.chunks).toHaveLength(1)
  })

  it('status first with its phrase, no second content-length', async () => {
    const { port } = await serve({
      request: (exchange) =>
        exchange.respond(
          418,
          [
            ['content-length', '99'],
            ['date', 'never'],
            ['x-a', '1'],
          ],
          'tea',
        ),
    })
    const peer = await dial(port)
    peer.write(request('GET', '/'))
    const text = await peer.until(/tea/)
    expect(text).toMatch(/^HTTP\/1\.1 418 I'm a Teapot\r\nx-a: 1\r\nDate: /)
    expect(text.match(/content-length/gi)).toHaveLength(1)
    expect(text).toContain('Content-Length: 3')
  })

  it('HEAD gets the length of the body and no body; 204 and 304 get neither', async () => {
    const { port } = await serve({
      request: (exchange) => exchange.respond(Number(exchange.path.slice(1)), [], 'grüße'),
    })
    const peer = await dial(port)
    for (const [method, path] of [
      ['HEAD', '/200'],
      ['GET', '/204'],
      ['GET', '/304'],
    ] as const)
      peer.write(request(method, path))
    peer.write(request('GET', '/200'))
    const answers = (await peer.until(/grüße|gr\xc3/)).split('HTTP/1.1 ').slice(1)
    expect(answers[0]).toMatch(/Content-Length: 7\r\n\r\n$/)
    expect(answers[1]).toMatch(/^204 No Content\r\n(?!.*Content-Length)[\s\S]*\r\n\r\n$/)
    expect(answers[2]).toMatch(/^304 Not Modified\r\n/)
    expect(answers[2]).not.toContain('Content-Length')
  })

  it('refuses a header that would write the rest of the answer', async () => {
    const { port, faults } = await serve({
      request: (exchange) => exchange.respond(200, [['x-a', 'a\r\nset-cookie: b']], 'x'),
    })
    const answer = await fetch(`http://127.0.0.1:${port}/`)
    expect([answer.status, answer.headers.get('set-cookie'), await answer.text()]).toEqual([500, null, ''])
    expect(faults).toMatchObject([
      { message: 'the header x-a has a character in its value that a header cannot carry' },
    ])
  })

  it('writes the status text that it is given, each character as a byte', async () => {
    const { port, faults } = await serve({
      request: (exchange) => {
        const statusText = exchange.path === '/bad' ? 'a\r\nx: y' : 'H\u00e9'
        const details = { statusText, length: null }
        if (exchange.path === '/stream') exchange.stream(200, [], details).end()
        else exchange.respond(200, [], 'x', details)
      },
    })
    const peer = await dial(port)
    for (const path of ['/', '/stream']) peer.write(request('GET', path))
    const answers = (await peer.until(/HTTP\S+ 200[\s\S]*HTTP\S+ 200[\s\S]*\r\n\r\n/)).split('HTTP/1.1 ').slice(1)
    for (const answer of answers) expect(answer).toMatch(/^200 H\u00e9\r\n/)
    expect((await fetch(`http://127.0.0.1:${port}/bad`)).status).toBe(500)
    expect(faults).toMatchObject([{ message: 'the status text has a character that it cannot carry' }])
  })

  it.each(['in the handler', 'in onAborted', 'in fault itself'])('a throw %s stays in JavaScript', async (where) => {
    const told = vi.fn()
    const aborted = deferred<void>()
    const caught = catcher<HttpExchange>()
    const { port } = await serve({
      request: (exchange) => {
        if (exchange.path === '/fine') return ok(exchange)
        if (where !== 'in onAborted') throw new Error('boom')
        exchange.onAborted(() => {
          throw new Error('boom')
        })
        exchange.onAborted(() => aborted.resolve())
        caught.handle(exchange)
      },
      fault: (error) => {
        told(String(error))
        if (where === 'in fault itself') throw new Error('again')
      },
    })
    if (where === 'in onAborted') {
      const peer = await dial(port)
      peer.write(request('GET', '/'))
      await caught.next
      peer.socket.destroy()
      await aborted.promise
    } else expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(500)
    expect(told.mock.calls).toEqual([['Error: boom']])
    expect(await (await fetch(`http://127.0.0.1:${port}/fine`)).text()).toBe('/fine')
  })

  it('before it closes, an answer ends its connection; one without a body and a large one leave it', async () => {
    const { port, transport } = await serve({
      request: (exchange) => {
        if (exchange.path === '/empty') exchange.respond(204, [], null)
        else exchange.respond(200, [], exchange.path === '/large' ? `${'x'.repeat(1_000_000)}end` : exchange.path)
      },
    })
    const peer = await dial(port)
    peer.write(request('GET', '/kept'))
    expect(await peer.until(/kept/)).not.toMatch(/connection: close/i)
    transport.endConnections?.()
    peer.write(request('GET', '/empty'))
    await peer.until(/204 No Content\r\n/)
    peer.write(request('GET', '/large'))
    await peer.until(/xend$/)
    peer.write(request('POST', '/last', { 'content-length': '3' }, 'abc'))
    expect(await peer.until(/\/last$/)).toMatch(/connection: close/i)
    await peer.closed
    // New ones are accepted still, and end as well.
    const next = await dial(port)
    next.write(request('GET', '/next'))
    await next.closed
    transport.stopAccepting()
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  })

  it.each([false, true])(
    'pipelined requests that are answered at once are answered in order; before it closes: %s',
    async (closing) => {
      const { port, transport } = await serve({ request: ok })
      if (closing) transport.endConnections?.()
      const peer = await dial(port)
      peer.write([1, 2, 3, 4, 5].map((n) => request('GET', `/${n}/`)).join(''))
      expect((await peer.until(/\/5\//)).match(/\/\d\//g)).toEqual(['/1/', '/2/', '/3/', '/4/', '/5/'])
    },
  )

  it('a second request while one is pending closes the connection', async () => {
    const aborted = deferred<void>()
    const { port } = await serve({ request: (exchange) => exchange.onAborted(() => aborted.resolve()) })
    const peer = await dial(port)
    peer.write(request('GET', '/1'))
    peer.write(request('GET', '/2'))
    await Promise.all([aborted.promise, peer.closed])
    expect(peer.text()).toBe('')
  })

  it('headers of 16 KB arrive when the request is written byte by byte', async () => {
    const { port } = await serve({
      request: (exchange) => exchange.respond(200, [], String(exchange.header('x-big').length)),
    })
    const peer = await dial(port)
    const bytes = Buffer.from(request('GET', '/', { 'x-big': 'b'.repeat(16 * 1024) }))
    // In steps of one byte each; the loop must turn, or the system would join them.
    for (let at = 0; at < bytes.length; at++) {
      peer.write(bytes.subarray(at, at + 1))
      if (at % 16 === 0) await turn()
    }
    expect(await peer.until(/\r\n\r\n/)).toContain('200 OK')
    expect(await peer.until(/16384$/)).toContain('200 OK')
  }, 30_000)

  it.each([
    ['33 KB in one header', { 'x-big': 'b'.repeat(33 * 1024) }],
    ['120 headers', Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-${i}`, '1']))],
  ])(
    '%s are refused and the process lives',
    async (_name, headers) => {
      const reached = vi.fn(ok)
      const { port } = await serve({ request: reached })
      const peer = await dial(port)
      peer.write(request('GET', '/', headers))
      await peer.closed
      expect(peer.text()).not.toContain('200 OK')
      expect(reached).not.toHaveBeenCalled()
      expect((await fetch(`http://127.0.0.1:${port}/still`)).status).toBe(200)
    },
    30_000,
  )

  it('the 404 is ours for every method, custom ones too', async () => {
    const seen: string[] = []
    const { port } = await serve({
      request: (exchange) => {
        seen.push(exchange.method)
        exchange.respond(404, [], 'ours')
      },
    })
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PURGE', 'HEAD']
    const peer = await dial(port)
    for (const method of methods) peer.write(request(method, '/nowhere'))
    await peer.until(/(404 [\s\S]*){9}/)
    expect(seen).toEqual(methods)
    expect(peer.text().match(/ours/g)).toHaveLength(8)
    expect(peer.text()).not.toContain('uWebSockets/20 Server')
  })

  it('shows an IPv4 client dotted on an IPv6 socket', async () => {
    const { port } = await serve(
      { request: (exchange) => exchange.respond(200, [], `<${exchange.address}>`) },
      {},
      '::',
    )
    const four = await dial(port)
    four.write(request('GET', '/'))
    expect(await four.until(/>/)).toContain('<127.0.0.1>')
    const six = await dial(port, '::1')
    six.write(request('GET', '/'))
    expect(await six.until(/>/)).toContain('<::1>')
  })
})
