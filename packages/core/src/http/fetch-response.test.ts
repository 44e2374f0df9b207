import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { fromFetch } from '../index.ts'
import { deferred } from '../testing/suite.fixtures.ts'
import { createVirtualClock, type LogLine, onTransports } from '../testing.ts'

const kib = 1024

/** The causes of failed calls in a log. */
const causesOf = (logs: readonly LogLine[]): readonly unknown[] =>
  logs
    .filter(({ message }) => message === 'A call failed')
    .map(({ fields }) => Reflect.get(Object(fields.err), 'message'))

onTransports({ describe, afterEach }, ({ start }) => {
  const serve = (...endpoints: ReturnType<typeof fromFetch>[]) => start({ pkgIds: {}, routes: {}, endpoints })

  describe('the response', () => {
    const get = async (response: () => unknown, method = 'GET') => {
      const app = await serve(fromFetch('/', response as () => Response, { access: 'public' }))
      return { ...(await app.raw.request({ method, path: '/' })), logs: app.logs }
    }
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

    it('has its status, headers, cookies and body, and no fields of the connection', async () => {
      const { status, headers, body } = await get(() => {
        const response = new Response('grüße', {
          status: 418,
          headers: { 'x-a': '1', connection: 'close', 'keep-alive': '1', 'transfer-encoding': 'gzip', trailer: 'x' },
        })
        response.headers.append('set-cookie', 'a=1; Path=/')
        response.headers.append('set-cookie', 'b=2, c')
        return response
      })
      expect([status, text(body)]).toEqual([418, 'grüße'])
      expect(headers).toMatchObject({
        'x-a': '1',
        'set-cookie': 'a=1; Path=/, b=2, c',
        'content-type': 'text/plain;charset=UTF-8',
        'content-length': '7',
        'x-frame-options': 'DENY',
      })
      for (const name of ['keep-alive', 'trailer']) expect(headers[name]).toBeUndefined()
    })

    it('has no fields that its own Connection header names', async () => {
      const headers = { connection: 'close, X-Hop', 'x-hop': '1', 'x-hops': '2' }
      const answer = await get(() => new Response('x', { headers }))
      expect([answer.headers['x-hop'], answer.headers['x-hops']]).toEqual([undefined, '2'])
    })

    it('may be Response.json and Response.redirect', async () => {
      const json = await get(() => Response.json({ a: 1 }))
      expect([json.headers['content-type'], text(json.body)]).toEqual(['application/json', '{"a":1}'])
      const redirect = await get(() => Response.redirect('https://app.example/x', 303))
      expect([redirect.status, redirect.headers.location]).toEqual([303, 'https://app.example/x'])
      expect(redirect.headers['content-length']).toBe('0')
    })

    it('has no content type where it says none', async () => {
      const { headers } = await get(() => new Response(new Uint8Array([1])))
      expect(headers['content-type']).toBeUndefined()
    })

    it.each([204, 304])('with %i has neither body nor length', async (status) => {
      const { headers, body, ...answer } = await get(
        () => new Response(null, { status, headers: { 'content-length': '5' } }),
      )
      expect([answer.status, body.byteLength, headers['content-length'], headers['transfer-encoding']]).toEqual([
        status,
        0,
        undefined,
        undefined,
      ])
    })

    it('to HEAD keeps its length, and its body is cancelled', async () => {
      const cancelled = deferred<void>()
      const withBody = await get(
        () =>
          new Response(new ReadableStream({ cancel: () => cancelled.resolve() }), {
            headers: { 'content-length': '7' },
          }),
        'HEAD',
      )
      expect([withBody.headers['content-length'], withBody.body.byteLength]).toEqual(['7', 0])
      await cancelled.promise
      const without = await get(() => new Response(null, { headers: { 'content-length': '8' } }), 'HEAD')
      expect(without.headers['content-length']).toBe('8')
      expect((await get(() => new Response(null), 'HEAD')).headers['content-length']).toBeUndefined()
    })

    it('has headers of bytes above 0x7F as it says them', async () => {
      const { headers } = await get(
        () => new Response('x', { headers: { 'x-latin': 'h\u00e9llo', 'x-utf8': 'h\u00c3\u00a9' } }),
      )
      expect(headers).toMatchObject({ 'x-latin': 'h\u00e9llo', 'x-utf8': 'h\u00c3\u00a9' })
    })

    it('may be that of fetch: what it has decoded is not said to be encoded', async () => {
      const upstream = createServer((_request, response) => {
        response.setHeader('content-encoding', 'gzip')
        response.setHeader('x-up', '1')
        response.end(gzipSync('plain'))
      })
      await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
      try {
        const { port } = upstream.address() as AddressInfo
        const { headers, body } = await get(() => fetch(`http://127.0.0.1:${port}/`))
        expect([headers['content-encoding'], headers['x-up'], text(body)]).toEqual([undefined, '1', 'plain'])
        const own = await get(() => new Response(gzipSync('zipped'), { headers: { 'content-encoding': 'gzip' } }))
        expect([own.headers['content-encoding'], text(gunzipSync(own.body))]).toEqual(['gzip', 'zipped'])
      } finally {
        upstream.closeAllConnections()
        upstream.close()
      }
    })

    it('is sent whole where its body ends at once, else in chunks', async () => {
      const chunk = new TextEncoder().encode('x')
      type Controller = ReadableStreamDefaultController<Uint8Array>
      const of = async (source: () => ReadableStream<Uint8Array>): Promise<unknown> => {
        const { headers, body } = await get(() => new Response(source()))
        return [headers['content-length'], headers['transfer-encoding'], text(body)]
      }
      const whole = (controller: Controller): void => {
        controller.enqueue(chunk)
        controller.close()
      }
      expect(await of(() => new ReadableStream({ start: whole }))).toEqual(['1', undefined, 'x'])
      expect(await of(() => new ReadableStream({ start: (each) => each.close() }))).toEqual(['0', undefined, ''])
      let left = 2
      const two = (each: Controller): void => (left-- === 0 ? each.close() : each.enqueue(chunk))
      expect(await of(() => new ReadableStream({ pull: two }))).toEqual([undefined, 'chunked', 'xx'])
      const late = async (controller: Controller): Promise<void> => {
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
        whole(controller)
      }
      expect(await of(() => new ReadableStream({ pull: late }))).toEqual([undefined, 'chunked', 'x'])
    })

    it('outlives the deadline once it has begun, and its first chunk does not wait for the next', async () => {
      const clock = createVirtualClock()
      const goOn = deferred<void>()
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        clock,
        endpoints: [
          fromFetch(
            '/',
            ({ signal }) =>
              new Response(
                new ReadableStream({
                  start: (controller) => controller.enqueue(new TextEncoder().encode('begin ')),
                  async pull(controller) {
                    await goOn.promise
                    controller.enqueue(new TextEncoder().encode(`aborted: ${signal.aborted}`))
                    controller.close()
                  },
                }),
              ),
            { access: 'public', deadlineMs: 1000 },
          ),
        ],
      })
      const { body } = await raw.stream({ method: 'GET', path: '/' })
      let got = ''
      for await (const bytes of body) {
        got += text(bytes)
        await clock.advance(5000)
        goOn.resolve()
      }
      expect(got).toBe('begin aborted: false')
    })

    it('with a header that cannot be sent is a 500, and its body is cancelled', async () => {
      const cancelled = deferred<void>()
      const { status, logs } = await get(
        () =>
          new Response(new ReadableStream({ cancel: () => cancelled.resolve() }), { headers: { 'x-bad': 'a\u0001b' } }),
      )
      expect([status, causesOf(logs)]).toEqual([500, [expect.stringContaining('the header x-bad has a character')]])
      await cancelled.promise
    })

    it('is read as fast as the client reads, and cancelled when it leaves', async () => {
      let pulled = 0
      const cancelled = deferred<void>()
      const { raw } = await serve(
        fromFetch(
          '/down',
          () =>
            new Response(
              new ReadableStream(
                {
                  pull(controller) {
                    pulled++
                    controller.enqueue(new Uint8Array(64 * kib))
                  },
                  cancel: () => cancelled.resolve(),
                },
                { highWaterMark: 0 },
              ),
            ),
          { access: 'public' },
        ),
      )
      const answer = await raw.stream({ method: 'GET', path: '/down' })
      let got = 0
      for await (const chunk of answer.body) {
        got += chunk.byteLength
        if (got > 1024 * kib) break
      }
      await cancelled.promise
      expect(pulled).toBeLessThan(1000)
    })

    it.each([
      ['undefined', () => undefined, 'the handler returned undefined: return a Response'],
      ['an object', () => ({ status: 200 }), 'the handler returned an object (Object): return a Response'],
      ['Response.error()', () => Response.error(), 'the handler returned Response.error()'],
      [
        'a Response that was read',
        async () => {
          const response = new Response('x')
          await response.text()
          return response
        },
        'whose body was read already',
      ],
      [
        'a Response that is being read',
        () => {
          const response = new Response('x')
          response.body?.getReader()
          return response
        },
        'whose body was read already',
      ],
    ])('that is %s is a 500, with the reason in the log alone', async (_what, response, message) => {
      const { status, body, logs } = await get(response)
      expect([status, JSON.parse(text(body)).error.code]).toEqual([500, 'internal_error'])
      expect(text(body)).not.toContain('handler')
      expect(causesOf(logs)).toEqual([expect.stringContaining(message)])
    })

    it('is a 500 for a handler that throws, now or later, and never says why', async () => {
      for (const handler of [
        () => {
          throw new Error('secret')
        },
        () => Promise.reject(new Error('secret')),
      ]) {
        const { status, body, logs } = await get(handler)
        expect([status, JSON.parse(text(body)).error.code]).toEqual([500, 'internal_error'])
        expect(text(body)).not.toContain('secret')
        expect(causesOf(logs)).toEqual(['secret'])
      }
    })

    it('is cut when its body fails, or gives what is not bytes', async () => {
      const broken: unknown[] = [null, 7, { length: 3 }]
      for (const chunk of broken) {
        const { raw, logs } = await serve(
          fromFetch(
            '/',
            () =>
              new Response(
                new ReadableStream({
                  pull(controller) {
                    if (chunk === null) controller.error(new Error('broken'))
                    else Reflect.apply(controller.enqueue, controller, [chunk])
                  },
                }),
              ),
            { access: 'public' },
          ),
        )
        await expect(raw.request({ method: 'GET', path: '/' })).rejects.toThrow()
        expect(logs.map(({ message }) => message)).toContain('A streamed body failed: the connection was cut')
      }
    })

    it('that comes too late is cancelled', async () => {
      const clock = createVirtualClock()
      const cancelled = deferred<void>()
      const late = deferred<Response>()
      const started = deferred<void>()
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        clock,
        endpoints: [
          fromFetch(
            '/',
            () => {
              started.resolve()
              return late.promise
            },
            { access: 'public', deadlineMs: 1000 },
          ),
        ],
      })
      const answer = raw.request({ method: 'GET', path: '/' })
      await started.promise
      await clock.advance(1001)
      expect((await answer).status).toBe(504)
      late.resolve(new Response(new ReadableStream({ cancel: () => cancelled.resolve() })))
      await cancelled.promise
    })
  })
})
