import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type AnyEndpoint, createApp, NotFoundError, page, pageOf, reply, route } from '../../index.ts'
import { testAuth } from '../../testing/suite.fixtures.ts'
import { onTransports } from '../../testing.ts'
import { accepts, authors, decoded, longText } from './compression.fixtures.ts'

// None of these paths has a parameter, which the type of any path cannot say.
const get = (path: `/${string}`, handler: () => unknown) =>
  route({ http: `GET ${path}` as 'GET /any', access: 'public', handler })
const list = authors(100_000)
const bytes = Buffer.from(longText)
const typed = (type: string) => reply.bytes(bytes, { headers: { 'content-type': type } })
const text = (headers: Record<string, string>) => reply.text(longText, { headers })

describe('an answer of a public route', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const serve = (...endpoints: AnyEndpoint[]) => start({ pkgIds: {}, routes: {}, endpoints })

    it('of 100 kB of JSON is a fifth of it', async () => {
      const { request } = await serve(get('/list', () => list))
      const plain = await request('GET /list')
      expect([plain.headers['content-encoding'], plain.headers.vary, plain.json()]).toEqual([
        undefined,
        'Accept-Encoding',
        list,
      ])
      for (const [accept, encoding] of [
        ['gzip, deflate, br, zstd', 'br'],
        ['gzip', 'gzip'],
        ['x-gzip', 'gzip'],
        ['br;q=0.2, gzip;q=0.3', 'gzip'],
      ] as const) {
        const answer = await request('GET /list', accepts(accept))
        expect([answer.status, answer.headers['content-encoding'], answer.headers.vary]).toEqual([
          200,
          encoding,
          'Accept-Encoding',
        ])
        expect(answer.headers['content-type']).toBe('application/json')
        expect(answer.headers['content-length']).toBe(String(answer.bytes.byteLength))
        expect(answer.bytes.byteLength).toBeLessThan(plain.bytes.byteLength / 5)
        expect(decoded(answer).toString()).toBe(plain.text)
      }
    })

    it('is compressed in every form that it has', async () => {
      const { request } = await serve(
        get('/text', () => reply.text(longText)),
        get('/html', () => text({ 'content-type': 'text/html; charset=utf-8' })),
        get('/svg', () => typed('image/svg+xml')),
        get('/created', () => reply(list, { status: 201 })),
        route({
          http: 'GET /page',
          access: 'public',
          output: pageOf(v.object({ id: v.number(), name: v.string() })),
          handler: () => page([...list], { per_page: 20, next_cursor: null, has_more: false }),
        }),
      )
      for (const path of ['/text', '/html', '/svg', '/created', '/page']) {
        const plain = await request(`GET ${path}`)
        const answer = await request(`GET ${path}`, accepts('br'))
        expect([path, answer.headers['content-encoding'], answer.status]).toEqual([path, 'br', plain.status])
        expect(decoded(answer).equals(plain.bytes)).toBe(true)
      }
    })

    it('is sent as it is, and does not vary, where that is all it can be', async () => {
      const { request } = await serve(
        get('/short', () => 'x'.repeat(1000)),
        get('/bytes', () => reply.bytes(bytes)),
        get('/png', () => typed('image/png')),
        get('/encoded', () => text({ 'content-encoding': 'identity' })),
        get('/part', () => reply.text(longText, { status: 206, headers: { 'content-range': 'bytes 0-1/2' } })),
        get('/no-transform', () => text({ 'cache-control': 'public, No-Transform' })),
        get('/digest', () => text({ 'repr-digest': 'sha-256=:AAAA:' })),
        get('/missing', () => {
          throw new NotFoundError(longText)
        }),
        get('/nothing', () => undefined),
      )
      for (const path of [
        '/short',
        '/bytes',
        '/png',
        '/encoded',
        '/part',
        '/no-transform',
        '/digest',
        '/missing',
        '/nothing',
      ]) {
        const plain = await request(`GET ${path}`)
        const { headers, bytes } = await request(`GET ${path}`, accepts('br, gzip'))
        expect([path, headers.vary, headers['content-encoding']]).toEqual([
          path,
          undefined,
          plain.headers['content-encoding'],
        ])
        expect(Buffer.from(bytes).equals(plain.bytes)).toBe(true)
      }
    })

    it('is sent as it is when it would not become shorter', async () => {
      const noise = randomBytes(3000)
      const { request } = await serve(
        get('/noise', () => reply.bytes(noise, { headers: { 'content-type': 'text/plain', etag: '"1"' } })),
      )
      const answer = await request('GET /noise', accepts('gzip'))
      expect([answer.headers['content-encoding'], answer.headers.vary, answer.headers.etag]).toEqual([
        undefined,
        'Accept-Encoding',
        '"1"',
      ])
      expect([...answer.bytes]).toEqual([...noise])
    })

    it('has one Vary with what others vary by, and an ETag that is weak', async () => {
      const { request } = await start({
        pkgIds: {},
        routes: {},
        http: { cors: { origins: ['https://app.example'] } },
        endpoints: [
          get('/varied', () => text({ vary: 'Accept, accept-encoding', etag: '"a"' })),
          get('/weak', () => text({ etag: 'W/"a"' })),
          get('/any', () => text({ vary: '*' })),
        ],
      })
      const of = async (path: string, accept: string) => {
        const { headers } = await request(`GET ${path}`, accepts(accept, { origin: 'https://app.example' }))
        expect(headers['access-control-allow-origin']).toBe('https://app.example')
        return [headers.vary, headers.etag]
      }
      expect(await of('/varied', 'gzip')).toEqual(['Accept, accept-encoding, Origin', 'W/"a"'])
      expect(await of('/varied', '')).toEqual(['Accept, accept-encoding, Origin', '"a"'])
      expect(await of('/weak', 'gzip')).toEqual(['Origin, Accept-Encoding', 'W/"a"'])
      expect(await of('/any', 'gzip')).toEqual(['*', undefined])
    })

    it('to HEAD has the headers of GET, without a length', async () => {
      const { request } = await serve(get('/list', () => list))
      const head = await request('HEAD /list', accepts('gzip'))
      const { headers } = await request('GET /list', accepts('gzip'))
      expect([head.headers['content-encoding'], head.headers.vary, head.headers['content-type']]).toEqual([
        headers['content-encoding'],
        headers.vary,
        headers['content-type'],
      ])
      expect([head.text, head.headers['content-length']]).toEqual(['', undefined])
      const plain = await request('HEAD /list')
      expect([plain.headers['content-length'], plain.headers.vary]).toEqual([
        String(JSON.stringify(list).length),
        'Accept-Encoding',
      ])
    })

    it('is what the handler wrote, whatever that is and whatever is accepted', async () => {
      let body = ''
      const { request } = await start({
        pkgIds: {},
        routes: {},
        http: { compression: { minBytes: 1, syncBytes: 500 } },
        endpoints: [get('/body', () => reply.text(body))],
      })
      const accept = fc.array(
        fc.constantFrom(
          'br',
          'gzip',
          'x-gzip',
          'identity',
          '*',
          'deflate',
          'q',
          ';q=0',
          ';q=0.5',
          ',',
          ' ',
          ';',
          'q=1',
        ),
        { maxLength: 10 },
      )
      const chunk = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 50 }), fc.constantFrom('aaaa', '{"id":1}'))
      await fc.assert(
        fc.asyncProperty(fc.array(chunk, { maxLength: 60 }), accept, async (parts, codings) => {
          body = parts.join('')
          const answer = await request('GET /body', accepts(codings.join('').trim()))
          expect(decoded(answer).toString()).toBe(Buffer.from(body).toString())
        }),
        { numRuns: 300 },
      )
    }, 20_000)
  })
})

describe('compression', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const encodings = async (compression: boolean | object | undefined) => {
      const { request } = await start({
        pkgIds: {},
        routes: {},
        plugins: [testAuth()],
        ...(compression !== undefined && { http: { compression } }),
        endpoints: [
          route({ http: 'GET /public', access: 'public', handler: () => list }),
          route({ http: { route: 'GET /public/off', compression: false }, access: 'public', handler: () => list }),
          route({ http: 'GET /private', handler: () => list }),
          route({ http: { route: 'GET /private/on', compression: true }, handler: () => list }),
        ],
      })
      const found: (string | undefined)[] = []
      for (const path of ['/public', '/public/off', '/private', '/private/on']) {
        const { headers, status } = await request(`GET ${path}`, accepts('gzip', { authorization: 'ann' }))
        expect(status).toBe(200)
        found.push(headers['content-encoding'])
      }
      return found
    }

    it('is on for public routes, and for those that ask for it', async () => {
      const expected = ['gzip', undefined, undefined, 'gzip']
      expect(await encodings(undefined)).toEqual(expected)
      expect(await encodings(true)).toEqual(expected)
      expect(await encodings({})).toEqual(expected)
    })

    it('is off for all', async () => {
      expect(await encodings(false)).toEqual([undefined, undefined, undefined, undefined])
    })

    it('begins at minBytes', async () => {
      expect(await encodings({ minBytes: 10_000_000 })).toEqual([undefined, undefined, undefined, undefined])
    })
  })
})

describe('options of compression that cannot be', () => {
  const boot = (http: object) => () =>
    createApp({ environment: 'test', log: 'silent', pkgIds: {}, routes: {}, ...{ http } })

  it.each([
    [{ compression: 'gzip' }, 'compression'],
    [{ compression: { gzipLevel: 0 } }, 'gzipLevel'],
    [{ compression: { brotliQuality: 12 } }, 'brotliQuality'],
    [{ compression: { minBytes: 0 } }, 'minBytes'],
    [{ compression: { syncBytes: -1 } }, 'syncBytes'],
    [{ compression: { level: 6 } }, 'level'],
  ])('are boot errors of the app: %j', (http, name) => {
    expect(boot(http)).toThrow(new RegExp(`createApp\\(\\).*compression.*${name}|createApp\\(\\).*${name}`))
  })

  it('are boot errors of a route', () => {
    const wrong = { http: { route: 'GET /a', compression: 'br' }, access: 'public', handler: () => 1 } as never
    expect(() => route(wrong)).toThrow(/compression/)
  })
})
