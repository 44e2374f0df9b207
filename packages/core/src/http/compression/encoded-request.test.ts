import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { fromFetch, reply, route } from '../../index.ts'
import { onTransports } from '../../testing.ts'

const Named = v.object({ name: v.string() })
const compressed = gzipSync('{"name":"Ursula"}')
const json = { 'content-type': 'application/json' }
const gzip = { 'content-encoding': 'gzip' }

describe('an encoded body of a request', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const serve = () =>
      start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({ http: 'POST /parsed', access: 'public', input: Named, handler: ({ name }) => name }),
          route({
            http: { route: 'POST /multipart', body: 'multipart' },
            access: 'public',
            input: Named,
            handler: ({ name }) => name,
          }),
          route({
            http: { route: 'POST /raw', body: 'raw' },
            access: 'public',
            input: v.object({ body: v.instance(Uint8Array) }),
            handler: ({ body }) => reply.bytes(body),
          }),
          route({
            http: { route: 'POST /stream', body: 'stream' },
            access: 'public',
            handler: async (_input, call) => reply.bytes(await buffer(call.body)),
          }),
          fromFetch('/fetch', async (request) => new Response(await request.arrayBuffer()), { access: 'public' }),
        ],
      })

    it.each(['gzip', 'x-gzip', 'br', 'deflate', 'identity, gzip', 'nonsense'])(
      'that core would read is refused with 415 and what is accepted: %s',
      async (encoding) => {
        const { request } = await serve()
        for (const [path, type] of [
          ['/parsed', 'application/json'],
          ['/multipart', 'multipart/form-data; boundary=x'],
        ]) {
          const headers = { 'content-type': type ?? '', 'content-encoding': encoding }
          const answer = await request(`POST ${path}`, { body: compressed, headers })
          expect([answer.status, answer.headers['accept-encoding'], answer.json()]).toEqual([
            415,
            'identity',
            {
              error: {
                code: 'unsupported_media_type',
                msg: 'Content-Encoding is not supported: send the body as it is, without that header',
                details: null,
              },
            },
          ])
        }
      },
    )

    it('is not one when it says identity', async () => {
      const { request } = await serve()
      for (const encoding of ['identity', 'Identity']) {
        const headers = { ...json, 'content-encoding': encoding }
        expect((await request('POST /parsed', { body: '{"name":"Ursula"}', headers })).json()).toBe('Ursula')
      }
    })

    it('is refused before it is read', async () => {
      const { request } = await serve()
      let sent = 0
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) {
          sent++
          yield new Uint8Array(16 * 1024)
        }
      }
      const answer = await request('POST /parsed', { body: endless(), headers: { ...json, ...gzip } })
      expect(answer.status).toBe(415)
      expect(sent).toBeLessThan(1000)
    })

    it.each(['/raw', '/stream', '/fetch'])('is passed on as it is to a handler that reads bytes: %s', async (path) => {
      const { request } = await serve()
      const { bytes, status } = await request(`POST ${path}`, { body: compressed, headers: gzip })
      expect([status, Buffer.from(bytes).equals(compressed)]).toEqual([200, true])
    })
  })
})
