import { createApp } from '@twinwire/core'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { rateLimit } from '../ratelimit-plugin.ts'
import { redisStore } from './redis-store.ts'

describe('redisStore()', () => {
  it('refuses wrong options before a connection is opened', () => {
    expect(() => redisStore({})).toThrow('redisStore(): url, sentinels, cluster or client is required')
    expect(() => redisStore('localhost')).toThrow('redisStore(): url must be redis://')
  })

  it('has a name without the password', () => {
    const store = redisStore('rediss://me:hunter2@host:7000/3')
    expect(store).toMatchObject({ name: 'Redis (host:7000/3)', remote: true })
  })

  it('is checked by the doctor, unless the application provides a client', async () => {
    const examine = async (store: ReturnType<typeof redisStore>): Promise<readonly object[]> => {
      const app = createApp({ environment: 'test', pkgIds: {}, routes: {}, plugins: [rateLimit({ store })] })
      return (await app.doctor()).findings.filter(({ check }) => check === 'peer ioredis')
    }
    expect(await examine(redisStore('redis://localhost'))).toEqual([
      { check: 'peer ioredis', level: 'ok', message: expect.stringMatching(/^ioredis 5\S+ satisfies \^5\.11\.1$/) },
    ])
    const client = new Redis({ lazyConnect: true })
    expect(await examine(redisStore({ client }))).toEqual([])
    client.disconnect()
  })
})
