import type { Gzip } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { reply, route } from '../../index.ts'
import { deferred } from '../../testing/suite.fixtures.ts'
import { onTransports } from '../../testing.ts'
import { accepts } from './compression.fixtures.ts'

const made = vi.hoisted((): { gzips: Gzip[] } => ({ gzips: [] }))
vi.mock('node:zlib', async (load) => {
  const actual = await load<typeof import('node:zlib')>()
  const createGzip: typeof actual.createGzip = (options) => {
    const gzip = actual.createGzip(options)
    made.gzips.push(gzip)
    return gzip
  }
  return { ...actual, createGzip }
})

const html = { headers: { 'content-type': 'text/html' } }

describe('a stream that cannot be compressed on', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is cut, so that no client takes a part for all, and its source is ended', async () => {
      made.gzips.length = 0
      const ended = deferred()
      const goesOn = deferred()
      async function* source() {
        try {
          yield 'one'
          await goesOn.promise
          yield 'two'
        } finally {
          ended.resolve()
        }
      }
      const { raw, logs } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [route({ http: 'GET /stream', access: 'public', handler: () => reply.stream(source(), html) })],
      })
      const response = await raw.stream({ method: 'GET', path: '/stream', ...accepts('gzip') })
      expect(response.headers['content-encoding']).toBe('gzip')
      const chunks = response.body[Symbol.asyncIterator]()
      expect((await chunks.next()).done).not.toBe(true)
      made.gzips[0]?.destroy(new Error('zlib has no memory'))
      goesOn.resolve()
      await expect(
        (async () => {
          while ((await chunks.next()).done !== true);
        })(),
      ).rejects.toThrow()
      await ended.promise
      expect(logs.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
        'An answer could not be compressed: the connection was cut',
      ])
    })
  })
})
