import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openRedisStore, toRule, toTake } from '../support/limit-store.ts'
import { type LimitWorker, startLimitWorker } from '../support/limit-worker.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

describe.skipIf(!(await hasRedis()))('four processes with one Redis', () => {
  let redis: TestRedis
  let workers: LimitWorker[] = []
  const options = () => ({ url: redis.url, prefix: redis.prefix, commandTimeoutMs: 20_000 })

  beforeAll(async () => {
    redis = await startRedis()
    workers = await Promise.all(Array.from({ length: 4 }, () => startLimitWorker(options())))
  })
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill()))
    await redis?.stop()
  })

  it('let exactly 10 of 200 callers pass against 10 per hour', async () => {
    const takes = [
      toTake(toRule({ points: 10, periodMs: 3_600_000 }), 'ada'),
      toTake(toRule({ name: 'minute', points: 1000, periodMs: 60_000 }), 'ada'),
    ]
    const answers = await Promise.all(workers.map((worker) => worker.run({ kind: 'consume', takes, callers: 50 })))
    expect(answers.flat()).toHaveLength(200)
    expect(answers.flat().filter(Boolean)).toHaveLength(10)
  })

  it('seat exactly 5 of 200 connections of one identity, and free the seats of a process that is killed', async () => {
    const ttlMs = 1000
    const seat = { scope: 'identity', key: 'grace', max: 5 } as const
    const answers = await Promise.all(
      workers.map((worker, w) => {
        const leases = Array.from({ length: 50 }, (_, i) => ({ id: `${w} ${i}`, seats: [seat] }))
        // The process is alive and does not renew: long enough for all of them to ask.
        return worker.run({ kind: 'acquire', leases, ttlMs: 60_000 })
      }),
    )
    expect(answers.flat().filter(Boolean)).toHaveLength(5)

    const other = { scope: 'identity', key: 'edsger', max: 5 } as const
    const leases = Array.from({ length: 5 }, (_, i) => ({ id: `killed ${i}`, seats: [other] }))
    const [first] = workers
    expect(await first?.run({ kind: 'acquire', leases, ttlMs })).toEqual([true, true, true, true, true])
    await first?.kill()
    const store = await openRedisStore(options())
    const mine = Array.from({ length: 5 }, (_, i) => ({ id: `mine ${i}`, seats: [other] }))
    await vi.waitFor(
      async () => {
        for (const lease of mine) expect(await store.acquire(lease, 60_000)).toBeNull()
      },
      { timeout: 20_000, interval: 50 },
    )
    expect(await store.acquire({ id: 'one more', seats: [other] }, 60_000)).toEqual(other)
    await store.close()
  })
})
