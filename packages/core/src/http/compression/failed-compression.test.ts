import { afterEach, describe, expect, it, vi } from 'vitest'
import { reply, route } from '../../index.ts'
import { onTransports } from '../../testing.ts'
import { accepts, longText } from './compression.fixtures.ts'

const zlib = vi.hoisted(() => ({ fails: 'at once', isBusy: false }))
vi.mock('./compress.ts', () => ({
  isPoolBusy: () => zlib.isBusy,
  compressBytes: () => {
    const error = new Error('zlib has no memory')
    if (zlib.fails === 'at once') throw error
    return Promise.reject(error)
  },
}))

const text = longText.repeat(100)

describe('an answer that cannot be compressed', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const get = async () => {
      const headers = { etag: '"1"' }
      const { request, logs } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [route({ http: 'GET /text', access: 'public', handler: () => reply.text(text, { headers }) })],
      })
      const answer = await request('GET /text', accepts('gzip'))
      expect([answer.status, answer.text === text, answer.headers['content-encoding']]).toEqual([200, true, undefined])
      expect([answer.headers.vary, answer.headers.etag]).toEqual(['Accept-Encoding', '"1"'])
      return logs.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message)
    }

    it.each(['at once', 'later'])('%s is sent as it is, with one line in the log', async (when) => {
      zlib.fails = when
      zlib.isBusy = false
      expect(await get()).toEqual(['An answer could not be compressed and was sent as it is'])
    })

    it('soon, because many others wait, is sent as it is', async () => {
      zlib.isBusy = true
      expect(await get()).toEqual([])
    })
  })
})
