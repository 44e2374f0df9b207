import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import { fromFetch } from '../index.ts'
import { deferred, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'
import { dial, request as toText } from '../transport/uws-fixture.ts'

const kib = 1024

/** Without the flag of the command line. */
setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** What a handler was given, as JSON. */
const mirror = async (request: Request): Promise<Response> =>
  Response.json({
    method: request.method,
    url: request.url,
    headers: [...request.headers],
    body: await request.text(),
  })

function pieces(count: number, bytes: number): { source: () => AsyncGenerator<Uint8Array>; taken: () => number } {
  let taken = 0
  async function* source(): AsyncGenerator<Uint8Array> {
    while (taken < count) {
      taken++
      yield new Uint8Array(bytes).fill(taken)
    }
  }
  return { source, taken: () => taken }
}

onTransports({ describe, afterEach }, ({ start, transport }) => {
  const serve = (...endpoints: ReturnType<typeof fromFetch>[]) => start({ pkgIds: {}, routes: {}, endpoints })

  describe('the request', () => {
    const open = { access: 'public' } as const

    it('has method, URL, headers and body as they were sent', async () => {
      const { raw } = await serve(fromFetch('/api', mirror, open))
      const { body, status } = await raw.request({
        method: 'POST',
        path: '/api/a%20b/%C3%A9/c+d?x=1&x=2&y=%26',
        headers: { host: 'app.example:81', 'content-type': 'text/x', cookie: ['a=1', 'b=2'], 'x-many': ['1', '2'] },
        body: 'hello',
      })
      expect(status).toBe(200)
      const got = JSON.parse(Buffer.from(body).toString())
      expect(got).toMatchObject({
        method: 'POST',
        url: 'http://app.example:81/api/a%20b/%C3%A9/c+d?x=1&x=2&y=%26',
        body: 'hello',
      })
      expect(got.headers).toEqual(
        expect.arrayContaining([
          ['content-length', '5'],
          ['content-type', 'text/x'],
          ['cookie', 'a=1; b=2'],
          ['host', 'app.example:81'],
          ['x-many', '1, 2'],
        ]),
      )
    })

    it('has no fields of the connection', async () => {
      const { raw } = await serve(fromFetch('/api', mirror, open))
      const { body } = await raw.request({
        method: 'PUT',
        path: '/api',
        headers: { te: 'trailers', 'keep-alive': '1', 'proxy-connection': 'x', 'transfer-encoding': 'chunked' },
        body: pieces(2, 3).source(),
      })
      const names = JSON.parse(Buffer.from(body).toString()).headers.map(([name]: [string]) => name)
      for (const name of ['te', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'connection', 'content-length'])
        expect(names).not.toContain(name)
    })

    it('has no fields that its Connection header names, whatever their case, but Host and Content-Length', async () => {
      const { raw } = await serve(fromFetch('/api', mirror, open))
      const { body } = await raw.request({
        method: 'POST',
        path: '/api',
        headers: {
          host: 'app.example',
          connection: 'X-Hop,, cookie ,HOST, content-length',
          'x-hop': '1',
          'x-hops': '2',
          cookie: 'a=1',
        },
        body: 'hello',
      })
      const headers = new Headers(JSON.parse(Buffer.from(body).toString()).headers)
      const names = ['x-hop', 'x-hops', 'cookie', 'host', 'content-length', 'connection']
      expect(names.map((name) => headers.get(name))).toEqual([null, '2', null, 'app.example', '5', null])
    })

    it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH'])(
      'comes with %s',
      async (method) => {
        const { raw } = await serve(fromFetch('/', mirror, open))
        const { body } = await raw.request({ method, path: '/any/where' })
        expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({ method, body: '' })
      },
    )

    it.each(['TRACE'])('cannot come with %s', async (method) => {
      const { raw } = await serve(fromFetch('/', mirror, open))
      const { status, headers } = await raw.request({ method, path: '/' })
      expect([status, headers.allow]).toEqual([405, 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT'])
    })

    it.each([
      ['P@RGE', 400],
      ['P"X', 400],
      ['FOO{', 400],
      ['X/Y', 400],
      ['trace', 405],
      ['Connect', 405],
    ])('is refused with the method %s, which a Request cannot have', async (method, status) => {
      const { raw, address, logs } = await serve(fromFetch('/', mirror, open))
      if (transport === 'memory') {
        expect((await raw.request({ method, path: '/' })).status).toBe(status)
      } else {
        // The client of Node does not send it.
        const peer = await dial(address.port)
        peer.write(toText(method, '/'))
        expect(await peer.until(/^HTTP\/1\.1 .*\r\n/)).toContain(`HTTP/1.1 ${status} `)
      }
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    })

    it.each(['/a/../b', '/a/%2e%2E/b', '/a/.', '/a/.%2e', '/a\\b'])(
      'has no path that its URL would change: %s',
      async (path) => {
        const { raw } = await serve(fromFetch('/', mirror, open))
        expect((await raw.request({ method: 'GET', path })).status).toBe(400)
      },
    )

    it('has bytes above 0x7F: encoded in its URL, as they are in its headers', async () => {
      const { raw } = await serve(fromFetch('/', mirror, open))
      // Each character of a header is a byte, which the transport reads as UTF-8; over a network those of a path are too.
      const e = transport === 'uws' ? '\u00c3\u00a9' : '\u00e9'
      const name = 'h\u00c3\u00a9!'
      const { body } = await raw.request({ method: 'GET', path: `/caf${e}?q=${e}`, headers: { 'x-name': name } })
      const got = JSON.parse(Buffer.from(body).toString())
      expect(got.url).toMatch(/\/caf%C3%A9\?q=%C3%A9$/)
      expect(got.headers).toContainEqual(['x-name', 'h\u00c3\u00a9!'])
    })

    it('keeps what a URL would lose', async () => {
      const { raw } = await serve(fromFetch('/', mirror, open))
      const { body } = await raw.request({ method: 'GET', path: '/a#b?c#d' })
      expect(JSON.parse(Buffer.from(body).toString()).url).toMatch(/\/a%23b\?c%23d$/)
    })

    it.each(['user@app.example', 'app.example/x', 'app.example?x', 'a b'])(
      'is refused with the Host %s',
      async (host) => {
        const { raw } = await serve(fromFetch('/', mirror, open))
        expect((await raw.request({ method: 'GET', path: '/', headers: { host } })).status).toBe(400)
      },
    )

    it('is https behind a trusted proxy that says so', async () => {
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [fromFetch('/', mirror, open)],
        http: { trustedProxies: ['127.0.0.1'] },
      })
      const { body } = await raw.request({
        method: 'GET',
        path: '/x',
        headers: { host: 'app.example', 'x-forwarded-proto': 'https' },
      })
      expect(JSON.parse(Buffer.from(body).toString()).url).toBe('https://app.example/x')
    })

    it('streams its body, as fast as the handler reads', async () => {
      const { source, taken } = pieces(1000, 64 * kib)
      const first = deferred<void>()
      const goOn = deferred<void>()
      const { raw } = await serve(
        fromFetch(
          '/up',
          async ({ body }) => {
            const reader = body?.getReader()
            let bytes = (await reader?.read())?.value?.byteLength ?? 0
            first.resolve()
            await goOn.promise
            for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
              bytes += next.value.byteLength
            return new Response(String(bytes))
          },
          { access: 'public', maxBodyBytes: 1000 * 64 * kib },
        ),
      )
      const answer = raw.request({ method: 'POST', path: '/up', body: source() })
      await first.promise
      // A real network holds some MiB of its own.
      expect(taken()).toBeLessThan(500)
      goOn.resolve()
      expect(Buffer.from((await answer).body).toString()).toBe(String(1000 * 64 * kib))
    })

    it('over maxBodyBytes is 413: before the handler if it is declared, else for the one who reads', async () => {
      const seen: string[] = []
      const { raw, logs } = await serve(
        fromFetch(
          '/up',
          async (request) => {
            seen.push('called')
            return new Response(await request.text())
          },
          {
            access: 'public',
            maxBodyBytes: 10,
          },
        ),
      )
      expect((await raw.request({ method: 'POST', path: '/up', body: 'x'.repeat(11) })).status).toBe(413)
      expect(seen).toEqual([])
      const chunked = await raw.request({ method: 'POST', path: '/up', body: pieces(2, 6).source() })
      expect([chunked.status, seen]).toEqual([413, ['called']])
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    })

    it('may be answered while it is read', async () => {
      const { raw } = await serve(fromFetch('/echo', ({ body }) => new Response(body), open))
      const sent = deferred<void>()
      async function* source(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array([1])
        await sent.promise
        yield new Uint8Array([2])
      }
      const answer = await raw.stream({ method: 'POST', path: '/echo', body: source() })
      const got: number[] = []
      for await (const chunk of answer.body) {
        got.push(...chunk)
        sent.resolve()
      }
      expect(got).toEqual([1, 2])
    })

    it('has a signal that is aborted when the client leaves', async () => {
      const started = deferred<void>()
      const reason = deferred<unknown>()
      const { raw, logs } = await serve(
        fromFetch(
          '/wait',
          async ({ signal }) => {
            started.resolve()
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            reason.resolve(signal.reason)
            throw signal.reason
          },
          open,
        ),
      )
      const leaving = new AbortController()
      const answer = raw.request({ method: 'POST', path: '/wait', body: 'x', signal: leaving.signal })
      await started.promise
      leaving.abort()
      await expect(answer).rejects.toThrow()
      expect(await reason.promise).toMatchObject({ message: 'The client has disconnected' })
      expect(logs.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
    })

    it('has a signal that is aborted also for a handler that kept nothing else of it', async () => {
      const started = deferred<void>()
      const aborted = deferred<void>()
      const { raw } = await serve(
        fromFetch(
          '/wait',
          ({ signal }) => {
            signal.addEventListener('abort', () => aborted.resolve())
            started.resolve()
            return new Promise(() => {})
          },
          open,
        ),
      )
      const leaving = new AbortController()
      const answer = raw.request({ method: 'GET', path: '/wait', signal: leaving.signal })
      await started.promise
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setImmediate(resolve))
        collectGarbage()
      }
      leaving.abort()
      await expect(answer).rejects.toThrow()
      await aborted.promise
    })

    it('is ended with 408 by a client that stalls', async () => {
      const clock = createVirtualClock()
      const failed = deferred<unknown>()
      const started = deferred<void>()
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        clock,
        endpoints: [
          fromFetch(
            '/up',
            async (request) => {
              const reading = request.text()
              started.resolve()
              return new Response(await reading.catch(failed.resolve).then(() => 'x'))
            },
            { access: 'public', bodyTimeoutMs: 1000, deadlineMs: 500 },
          ),
        ],
      })
      async function* stalling(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(10)
        await new Promise(() => {})
      }
      const answer = raw.request({ method: 'POST', path: '/up', body: stalling() })
      await started.promise
      await until(() => clock.pendingTimers > 0)
      await clock.advance(1001)
      expect((await answer).status).toBe(408)
      expect(await failed.promise).toMatchObject({ code: 'request_timeout' })
    })

    it('may be left unread', async () => {
      const { raw } = await serve(fromFetch('/up', () => new Response('done'), open))
      for (const bytes of [10, 500 * kib]) {
        const { status, body } = await raw.request({ method: 'POST', path: '/up', body: new Uint8Array(bytes) })
        expect([status, Buffer.from(body).toString()]).toEqual([200, 'done'])
      }
    })

    it('has a signal that is aborted at the deadline', async () => {
      const clock = createVirtualClock()
      const started = deferred<void>()
      const reason = deferred<unknown>()
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        clock,
        endpoints: [
          fromFetch(
            '/wait',
            async ({ signal }) => {
              signal.addEventListener('abort', () => reason.resolve(signal.reason))
              started.resolve()
              return new Promise(() => {})
            },
            { access: 'public', deadlineMs: 1000 },
          ),
        ],
      })
      const answer = raw.request({ method: 'GET', path: '/wait' })
      await started.promise
      await clock.advance(1001)
      expect((await answer).status).toBe(504)
      expect(await reason.promise).toMatchObject({ code: 'deadline_exceeded' })
    })

    it('fails a body that is read when the client leaves', async () => {
      const started = deferred<void>()
      const failed = deferred<unknown>()
      const { raw } = await serve(
        fromFetch(
          '/up',
          async (request) => {
            started.resolve()
            await request.text().catch(failed.resolve)
            return new Response('x')
          },
          open,
        ),
      )
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(10)
        await new Promise(() => {})
      }
      const leaving = new AbortController()
      const answer = raw.request({ method: 'POST', path: '/up', body: endless(), signal: leaving.signal })
      await started.promise
      leaving.abort()
      await expect(answer).rejects.toThrow()
      expect(await failed.promise).toMatchObject({ message: 'The client has disconnected' })
    })
  })
})
