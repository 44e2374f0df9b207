import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { fromFetch, reply, route } from '../../index.ts'
import { deferred } from '../../testing/suite.fixtures.ts'
import { createTestApp, onTransports } from '../../testing.ts'
import { accepts, authors, decoded, longText } from './compression.fixtures.ts'

const list = authors(1_000_000)
const large = JSON.stringify(list)
const gzip = accepts('gzip')

describe('an answer that is compressed in the thread pool', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const serve = (handler: () => unknown, options: object = {}) =>
      start({
        pkgIds: {},
        routes: {},
        endpoints: [route({ http: 'GET /list', access: 'public', handler })],
        ...options,
      })

    it('is waited for by the drain', async () => {
      let closed: Promise<void> | null = null
      const { request, app } = await serve(() => {
        closed = app.close()
        return list
      })
      const answer = await request('GET /list', gzip)
      expect(decoded(answer).toString()).toBe(large)
      await Promise.resolve(closed)
    })

    it('is one of many at a time, each with its own body', async () => {
      let calls = 0
      const { request } = await serve(() => `${calls++} `.repeat(30_000))
      const answers = await Promise.all(Array.from({ length: 60 }, () => request('GET /list', gzip)))
      const starts = answers.map((answer) => String(JSON.parse(decoded(answer).toString())).slice(0, 5))
      expect(new Set(starts).size).toBe(60)
    })

    it('has no receiver when its client has left', async () => {
      const called = deferred()
      const { raw, request, logs } = await serve(() => {
        called.resolve()
        return list
      })
      const leaving = new AbortController()
      const left = raw.request({ method: 'GET', path: '/list', ...gzip, signal: leaving.signal })
      void called.promise.then(() => leaving.abort())
      await left.catch(() => undefined)
      expect(decoded(await request('GET /list', gzip)).toString()).toBe(large)
      expect(logs.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
    })

    it('has the bytes of the moment in which they were given', async () => {
      const bytes = Buffer.from(longText.repeat(100))
      const { request } = await serve(() => {
        setImmediate(() => bytes.fill(0))
        return reply.bytes(bytes, { headers: { 'content-type': 'text/plain' } })
      })
      expect(decoded(await request('GET /list', gzip)).toString()).toBe(longText.repeat(100))
    })
  })
})

describe('the answer of a fetch handler', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const get = async (response: () => Response, method = 'GET', encoding = 'gzip') => {
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [fromFetch('/', response, { access: 'public' })],
      })
      return request(`${method} /`, accepts(encoding))
    }
    const coding = (answer: { readonly headers: Readonly<Record<string, string>> }) => [
      answer.headers['content-encoding'],
      answer.headers.vary,
    ]
    const html = { headers: { 'content-type': 'text/html', etag: '"1"' } }

    it.each([
      ['at once', longText],
      ['later', longText.repeat(100)],
    ])('is compressed when it is whole, %s', async (_when, text) => {
      const answer = await get(() => new Response(text, { ...html, status: 201, statusText: 'Well Done' }))
      expect([...coding(answer), answer.headers.etag, answer.status]).toEqual(['gzip', 'Accept-Encoding', 'W/"1"', 201])
      expect(answer.headers['content-length']).toBe(String(answer.bytes.byteLength))
      expect(decoded(answer).toString()).toBe(text)
    })

    it('is compressed when it is a stream', async () => {
      const answer = await get(() => new Response(new Blob([longText, longText, 'x'.repeat(200_000)]).stream(), html))
      expect(coding(answer)).toEqual(['gzip', 'Accept-Encoding'])
      expect(decoded(answer).toString()).toBe(longText + longText + 'x'.repeat(200_000))
    })

    it('is sent as it is when it is short, encoded, an image, or not to be decoded', async () => {
      expect(coding(await get(() => new Response('x', html)))).toEqual([undefined, undefined])
      const encoded = { headers: { ...html.headers, 'content-encoding': 'zstd' } }
      expect(coding(await get(() => new Response(longText, encoded)))).toEqual(['zstd', undefined])
      const png = { headers: { 'content-type': 'image/png' } }
      expect(coding(await get(() => new Response(longText, png)))).toEqual([undefined, undefined])
      expect(coding(await get(() => new Response(longText, html), 'GET', 'zstd'))).toEqual([
        undefined,
        'Accept-Encoding',
      ])
    })

    it('to HEAD has no length that GET would not have', async () => {
      const head = (length: string) => () =>
        new Response(null, { headers: { ...html.headers, 'content-length': length } })
      const long = await get(head('5000'), 'HEAD')
      expect([...coding(long), long.headers['content-length']]).toEqual(['gzip', 'Accept-Encoding', undefined])
      const short = await get(head('50'), 'HEAD')
      expect([...coding(short), short.headers['content-length']]).toEqual([undefined, undefined, '50'])
    })
  })
})

describe('requests of one connection that do not wait for answers', () => {
  it('are answered in their order when bodies are compressed at once', async () => {
    const { address, close } = await createTestApp(
      {
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /items/:n',
            access: 'public',
            input: v.object({ n: v.number() }),
            handler: ({ n }) => reply.text(longText, { headers: { 'x-n': String(n) } }),
          }),
        ],
      },
      { transport: 'uws' },
    )
    const socket = connect(address.port, '127.0.0.1')
    const numbers = [1, 2, 3, 4, 5]
    const close5 = (n: number) => (n === 5 ? 'connection: close\r\n' : '')
    socket.write(
      numbers.map((n) => `GET /items/${n} HTTP/1.1\r\nhost: a\r\n${close5(n)}accept-encoding: gzip\r\n\r\n`).join(''),
    )
    const received = (await buffer(socket)).toString('latin1')
    expect([...received.matchAll(/^x-n: (\d)/gm)].map(([, n]) => Number(n))).toEqual(numbers)
    expect([...received.matchAll(/^content-encoding: gzip/gm)]).toHaveLength(5)
    await close()
  })
})
