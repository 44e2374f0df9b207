import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openRedisStore, toCharge, toRule } from '../support/limit-store.ts'
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

  it('accept exactly 10 of 200 calls with a limit of 10 per hour [defect 23]', async () => {
    const charges = [
      toCharge(toRule({ points: 10, periodMs: 3_600_000 }), 'ada'),
      toCharge(toRule({ name: 'minute', points: 1000, periodMs: 60_000 }), 'ada'),
    ]
    const answers = await Promise.all(workers.map((worker) => worker.run({ kind: 'consume', charges, callers: 50 })))
    expect(answers.flat()).toHaveLength(200)
    expect(answers.flat().filter(Boolean)).toHaveLength(10)
  })

  it('admit exactly 5 of 200 connections of one identity, and free the slots of a process that is killed [defect 27]', async () => {
    const ttlMs = 1000
    const slot = { scope: 'identity', key: 'grace', max: 5 } as const
    const answers = await Promise.all(
      workers.map((worker, w) => {
        const leases = Array.from({ length: 50 }, (_, i) => ({ id: `${w} ${i}`, slots: [slot] }))
        // Not renewed here: long enough for all of them.
        return worker.run({ kind: 'acquire', leases, ttlMs: 60_000 })
      }),
    )
    expect(answers.flat().filter(Boolean)).toHaveLength(5)

    const other = { scope: 'identity', key: 'edsger', max: 5 } as const
    const leases = Array.from({ length: 5 }, (_, i) => ({ id: `killed ${i}`, slots: [other] }))
    const [first] = workers
    expect(await first?.run({ kind: 'acquire', leases, ttlMs })).toEqual([true, true, true, true, true])
    await first?.kill()
    const store = await openRedisStore(options())
    const mine = Array.from({ length: 5 }, (_, i) => ({ id: `mine ${i}`, slots: [other] }))
    await vi.waitFor(
      async () => {
        for (const lease of mine) expect(await store.acquire(lease, 60_000)).toBeNull()
      },
      { timeout: 20_000, interval: 50 },
    )
    expect(await store.acquire({ id: 'one more', slots: [other] }, 60_000)).toEqual(other)
    await store.close()
  })
})
