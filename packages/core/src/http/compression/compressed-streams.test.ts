import { randomBytes } from 'node:crypto'
import { createBrotliDecompress, createGunzip } from 'node:zlib'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { reply, route, type StreamSource, stream } from '../../index.ts'
import type { RawStreamedResponse } from '../../testing/raw-types.ts'
import { deferred, until } from '../../testing/suite.fixtures.ts'
import { onTransports } from '../../testing.ts'
import { accepts, decoded } from './compression.fixtures.ts'

/** Decodes what arrives, as it arrives. */
function decodeStream({ headers, body }: RawStreamedResponse): AsyncIterator<Buffer> {
  const decoder = headers['content-encoding'] === 'br' ? createBrotliDecompress() : createGunzip()
  const feed = async (): Promise<void> => {
    for await (const chunk of body) decoder.write(chunk)
    decoder.end()
  }
  feed().catch((error: Error) => decoder.destroy(error))
  return decoder[Symbol.asyncIterator]()
}

const html = { headers: { 'content-type': 'text/html' } }

describe('a stream of a public route', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const serve = (source: () => StreamSource) =>
      start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({ http: 'GET /stream', access: 'public', handler: () => reply.stream(source(), html) }),
          route({ http: 'GET /bytes', access: 'public', handler: () => reply.stream(source()) }),
        ],
      })

    it.each(['gzip', 'br'])('reaches its client chunk by chunk, in %s', async (encoding) => {
      const released = [deferred(), deferred()]
      const { raw } = await serve(async function* () {
        yield 'one'
        await released[0]?.promise
        yield Buffer.from('two')
        await released[1]?.promise
        yield 'three'
      })
      const response = await raw.stream({ method: 'GET', path: '/stream', ...accepts(encoding) })
      expect([response.headers['content-encoding'], response.headers.vary]).toEqual([encoding, 'Accept-Encoding'])
      const chunks = decodeStream(response)
      // The next chunk is not produced before this one has been decoded.
      for (const [i, text] of ['one', 'two', 'three'].entries()) {
        expect(String((await chunks.next()).value)).toBe(text)
        released[i]?.resolve()
      }
      expect((await chunks.next()).done).toBe(true)
    })

    it('prefers gzip, unless brotli weighs more', async () => {
      const { request } = await serve(() => ['x'])
      const of = async (accept: string) => (await request('GET /stream', accepts(accept))).headers['content-encoding']
      expect([await of('br, gzip'), await of('br, gzip;q=0.9'), await of('identity')]).toEqual([
        'gzip',
        'br',
        undefined,
      ])
    })

    it('that is long arrives whole, and an empty one too', async () => {
      const chunk = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${(i * 7919) % 65_537}`).join(' '))
      const { request } = await serve(() => Array.from({ length: 20 }, () => chunk))
      const answer = await request('GET /stream', accepts('gzip'))
      expect(decoded(answer).equals(Buffer.concat(Array.from({ length: 20 }, () => chunk)))).toBe(true)
      const { request: other } = await serve(() => [])
      const empty = await other('GET /stream', accepts('br'))
      expect([decoded(empty).length, empty.status]).toEqual([0, 200])
    })

    it('is as it is where its type says so, and to HEAD has no body', async () => {
      const { request } = await serve(() => ['x'])
      const bytes = await request('GET /bytes', accepts('gzip'))
      expect([bytes.text, bytes.headers['content-encoding'], bytes.headers.vary]).toEqual(['x', undefined, undefined])
      const head = await request('HEAD /stream', accepts('gzip'))
      expect([head.headers['content-encoding'], head.text]).toEqual(['gzip', ''])
    })

    it('waits for its client, and ends with it', async () => {
      let produced = 0
      const ended = deferred()
      // It does not become shorter.
      const noise = randomBytes(64 * 1024)
      const { raw } = await serve(async function* () {
        try {
          for (;;) {
            produced++
            yield noise
          }
        } finally {
          ended.resolve()
        }
      })
      const { body } = await raw.stream({ method: 'GET', path: '/stream', ...accepts('gzip') })
      let taken = 0
      for await (const chunk of body) {
        taken += chunk.byteLength
        if (taken > 1_000_000) break
      }
      await ended.promise
      expect(produced).toBeLessThan(1000)
    })

    it('is cut when its source fails', async () => {
      const { raw, logs } = await serve(async function* () {
        yield 'a part of it'
        throw new Error('boom')
      })
      const chunks = decodeStream(await raw.stream({ method: 'GET', path: '/stream', ...accepts('gzip') }))
      await expect(
        (async () => {
          while ((await chunks.next()).done !== true);
        })(),
      ).rejects.toThrow()
      await until(() => logs.some(({ message }) => message === 'A streamed body failed: the connection was cut'))
    })

    it('sends each item as it comes, as NDJSON, and events as they are', async () => {
      const released = deferred()
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /items',
            access: 'public',
            output: stream(v.object({ n: v.number() })),
            async *handler() {
              yield { n: 1 }
              await released.promise
              yield { n: 2 }
            },
          }),
        ],
      })
      const response = await raw.stream({ method: 'GET', path: '/items', ...accepts('gzip') })
      expect(response.headers['content-encoding']).toBe('gzip')
      const chunks = decodeStream(response)
      expect(String((await chunks.next()).value)).toBe('{"n":1}\n')
      released.resolve()
      expect(String((await chunks.next()).value)).toBe('{"n":2}\n')
      expect((await chunks.next()).done).toBe(true)
      const events = await raw.stream({
        method: 'GET',
        path: '/items',
        ...accepts('gzip', { accept: 'text/event-stream' }),
      })
      expect([events.headers['content-encoding'], events.headers.vary]).toEqual([undefined, undefined])
      for await (const chunk of events.body) expect(Buffer.from(chunk).toString()).toContain('data: ')
    })
  })
})
