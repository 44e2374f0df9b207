import { createApp } from '@twinwire/core'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { rateLimit } from '../ratelimit-plugin.ts'
import { backOffMs, loadIoredis } from './open-client.ts'
import { redisStore } from './redis-store.ts'

describe('the pause before another attempt to connect', () => {
  it('grows up to two seconds, and is not the same in every process', () => {
    for (const [attempt, most] of [
      [1, 50],
      [2, 100],
      [5, 800],
      [7, 2000],
      [1000, 2000],
    ] as const) {
      const pauses = Array.from({ length: 100 }, () => backOffMs(attempt))
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(most / 2)
      expect(Math.max(...pauses)).toBeLessThanOrEqual(most)
      expect(new Set(pauses).size).toBeGreaterThan(5)
    }
  })
})

describe('ioredis', () => {
  it('that is not installed is one sentence', async () => {
    const missing = Object.assign(new Error("Cannot find package 'ioredis' imported from /app/x.js"), {
      code: 'ERR_MODULE_NOT_FOUND',
    })
    await expect(loadIoredis(() => Promise.reject(missing))).rejects.toMatchObject({
      code: 'peer_missing',
      message: "redisStore() needs the package 'ioredis': npm install ioredis",
      cause: missing,
    })
  })

  it('that fails for another reason fails with it', async () => {
    const inner = Object.assign(new Error("Cannot find package 'denque' imported from /app/ioredis.js"), {
      code: 'ERR_MODULE_NOT_FOUND',
    })
    for (const reason of [inner, new Error('a bug'), 'a text']) {
      await expect(loadIoredis(() => Promise.reject(reason))).rejects.toBe(reason)
    }
  })

  it('is looked for by the doctor, unless a client was given', async () => {
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
