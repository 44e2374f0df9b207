import { describe, expect, it } from 'vitest'
import { backOffMs, loadIoredis } from './open-client.ts'

describe('the delay before another attempt to connect', () => {
  it('grows up to two seconds, with jitter', () => {
    for (const [attempt, maxMs] of [
      [1, 50],
      [2, 100],
      [5, 800],
      [7, 2000],
      [1000, 2000],
    ] as const) {
      const delays = Array.from({ length: 100 }, () => backOffMs(attempt))
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(maxMs / 2)
      expect(Math.max(...delays)).toBeLessThanOrEqual(maxMs)
      expect(new Set(delays).size).toBeGreaterThan(5)
    }
  })
})

describe('ioredis', () => {
  it('that is not installed is a BootError', async () => {
    const missing = Object.assign(new Error("Cannot find package 'ioredis' imported from /app/x.js"), {
      code: 'ERR_MODULE_NOT_FOUND',
    })
    await expect(loadIoredis('redisStore()', () => Promise.reject(missing))).rejects.toMatchObject({
      code: 'missing_peer',
      message: "redisStore() needs the package 'ioredis': npm install ioredis",
      cause: missing,
    })
  })

  it('that fails for another reason throws the original error', async () => {
    const inner = Object.assign(new Error("Cannot find package 'denque' imported from /app/ioredis.js"), {
      code: 'ERR_MODULE_NOT_FOUND',
    })
    for (const reason of [inner, new Error('a bug'), 'a string']) {
      await expect(loadIoredis('redisStore()', () => Promise.reject(reason))).rejects.toBe(reason)
    }
  })
})
