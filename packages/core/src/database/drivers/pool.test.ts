import { describe, expect, test } from 'vitest'
import { CounterCell } from '../../base/cells.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { Pool, type PoolLimits } from './pool.ts'

class FakeConnection {
  readonly id: number
  lost = false
  ended = false
  alive = true
  pings = 0

  constructor(id: number) {
    this.id = id
  }
  async isAlive() {
    this.pings += 1
    return this.alive
  }
  async end() {
    this.lost = true
    this.ended = true
  }
}

const usual: PoolLimits = {
  max: 2,
  acquireTimeoutMs: 30_000,
  idleTimeoutMs: 300_000,
  maxLifetimeMs: 3_600_000,
  prePing: true,
}

function createPool(limits: Partial<PoolLimits> = {}) {
  const clock = createVirtualClock()
  const made: FakeConnection[] = []
  const created = new CounterCell()
  const create = () => {
    const connection = new FakeConnection(made.length)
    made.push(connection)
    return connection
  }
  const pool = new Pool(create, { ...usual, ...limits }, clock, created)
  return { clock, made, created, pool, close: () => pool.close(async () => {}) }
}

describe('a pool', () => {
  test('opens what is needed, acquires the latest first, and counts', async () => {
    const { pool, made, created } = createPool()
    const [a, b] = [await pool.acquire(null), await pool.acquire(null)]
    expect([pool.inUse, pool.open, pool.max, created.value]).toEqual([2, 2, 2, 2])
    pool.release(a)
    pool.release(b)
    expect([pool.inUse, pool.open]).toEqual([0, 2])
    expect(await pool.acquire(null)).toBe(made[1])
    expect(created.value).toBe(2)
  })

  test('replaces all connections when one is of no further use, each when it is free, and no later one for the same reason', async () => {
    const { pool, made } = createPool({ max: 3 })
    const [a, b, c] = [await pool.acquire(null), await pool.acquire(null), await pool.acquire(null)]
    pool.release(c)
    pool.renew(a)
    expect(made.map(({ ended }) => ended)).toEqual([false, false, false])
    pool.release(a)
    const next = await pool.acquire(null)
    expect([next.id, a.ended, b.ended, c.ended]).toEqual([3, true, false, true])
    // Made before: what it has found out is known.
    pool.renew(b)
    pool.release(b)
    pool.release(next)
    expect([b.ended, await pool.acquire(null)]).toEqual([true, next])
  })

  test('serves who waits in order, also by a new connection in the place of a lost one', async () => {
    const { pool, made } = createPool({ max: 1 })
    const first = await pool.acquire(null)
    const order: number[] = []
    const waiting = [1, 2].map(async (n) => {
      const connection = await pool.acquire(null)
      order.push(n)
      return connection
    })
    expect(pool.waiting).toBe(2)
    first.lost = true
    pool.release(first)
    const second = await waiting[0]
    expect([second, first.ended, order]).toEqual([made[1], true, [1]])
    if (second !== undefined) pool.release(second)
    expect(await waiting[1]).toBe(second)
    expect([order, pool.waiting]).toEqual([[1, 2], 0])
  })

  test('refuses who waited for too long, and whose signal aborts, and leaves no timer', async () => {
    const { pool, clock } = createPool({ max: 1, acquireTimeoutMs: 1000, idleTimeoutMs: 0, maxLifetimeMs: 0 })
    const held = await pool.acquire(null)
    const controller = new AbortController()
    const late = Promise.resolve(pool.acquire(null)).catch((error: unknown) => error)
    const left = Promise.resolve(pool.acquire(controller.signal)).catch((error: unknown) => error)
    controller.abort(new Error('left'))
    expect(await left).toMatchObject({ code: 'unavailable', cause: controller.signal.reason })
    await clock.advance(1000)
    expect(await late).toMatchObject({
      code: 'unavailable',
      message: 'No database connection was available within 1000 ms',
    })
    expect([pool.waiting, clock.pendingTimers]).toEqual([0, 0])
    pool.release(held)
    expect(await pool.acquire(null)).toBe(held)
    expect(() => pool.acquire(controller.signal)).toThrow('The call ended before its database work')
  })

  test('waits without end for a limit of 0', async () => {
    const { pool, clock } = createPool({ max: 1, acquireTimeoutMs: 0 })
    const held = await pool.acquire(null)
    const waiting = pool.acquire(null)
    await clock.advance(1_000_000)
    pool.release(held)
    expect(await waiting).toBe(held)
  })

  test('closes what missing used for the idle time, and keeps what is used', async () => {
    const { pool, made, clock, close } = createPool({ idleTimeoutMs: 10_000, maxLifetimeMs: 0, prePing: false })
    const [a, b] = [await pool.acquire(null), await pool.acquire(null)]
    pool.release(a)
    pool.release(b)
    for (let second = 0; second < 12; second += 1) {
      await clock.advance(1000)
      pool.release(await pool.acquire(null))
    }
    expect(made.map(({ ended }) => ended)).toEqual([true, false])
    await clock.advance(30_000)
    expect([made.map(({ ended }) => ended), pool.open, clock.pendingTimers]).toEqual([[true, true], 0, 0])
    await close()
  })

  test('replaces connections at their age, at most a tenth earlier, idle or in use', async () => {
    const { pool, made, clock } = createPool({ idleTimeoutMs: 0, maxLifetimeMs: 100_000, prePing: false })
    const [a, b] = [await pool.acquire(null), await pool.acquire(null)]
    pool.release(a)
    await clock.advance(89_000)
    expect([a.ended, b.ended]).toEqual([false, false])
    await clock.advance(11_000)
    // The one in use ends when it comes back.
    expect([a.ended, b.ended]).toEqual([true, false])
    pool.release(b)
    expect(b.ended).toBe(true)
    expect(await pool.acquire(null)).toBe(made[2])
  })

  test('asks what lay idle whether it is alive, and takes another one when it is not', async () => {
    const { pool, made, clock } = createPool({ idleTimeoutMs: 0, maxLifetimeMs: 0 })
    const [a, b] = [await pool.acquire(null), await pool.acquire(null)]
    pool.release(a)
    pool.release(b)
    pool.release(await pool.acquire(null))
    expect([a.pings, b.pings]).toEqual([0, 0])
    await clock.advance(5000)
    b.alive = false
    expect(await pool.acquire(null)).toBe(a)
    expect([a.pings, b.pings, b.ended, pool.inUse]).toEqual([1, 1, true, 1])
    expect(await pool.acquire(null)).toBe(made[2])
  })

  test('closes: acquires nothing, refuses who waits, waits for what is in use, and cuts it at the limit', async () => {
    const { pool, clock } = createPool({ max: 1 })
    const held = await pool.acquire(null)
    const waiting = Promise.resolve(pool.acquire(null)).catch((error: unknown) => error)
    let cut = () => {}
    const closing = pool.close(() => new Promise((resolve) => (cut = resolve)))
    expect(await waiting).toMatchObject({ code: 'CONNECTION_ENDED' })
    expect(() => pool.acquire(null)).toThrow()
    expect(held.ended).toBe(false)
    cut()
    await closing
    expect(held.ended).toBe(true)
    pool.release(held)
    expect(clock.pendingTimers).toBe(0)
  })
})
