import { describe, expect, it } from 'vitest'
import type { Clock } from '../../base/clock.ts'
import { createVirtualClock } from '../../testing.ts'
import { spread } from './spread.ts'

const count = 5000
const items = Array.from({ length: count }, (_, i) => i)

/** How many moments fall into each 100 ms. */
function histogram(moments: readonly number[]): number[] {
  const buckets: number[] = []
  for (const ms of moments) {
    const at = Math.floor(ms / 100)
    buckets[at] = (buckets[at] ?? 0) + 1
  }
  return Array.from(buckets, (each) => each ?? 0)
}

/** A clock on which no timer runs during a stall: the event loop is held up. */
function stalling(clock: Clock, fromMs: number, toMs: number): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    timer(delayMs, callback) {
      const dueMs = clock.monotonic() + delayMs
      return clock.timer(dueMs >= fromMs && dueMs < toMs ? toMs - clock.monotonic() : delayMs, callback)
    },
  }
}

describe('spread', () => {
  it('does everything once, in order, evenly over the time', async () => {
    const clock = createVirtualClock()
    const done: number[] = []
    const moments: number[] = []
    const all = spread(clock, items, { spreadMs: 2000, limitMs: 10_000 }, (item) => {
      done.push(item)
      moments.push(clock.monotonic())
    })
    await clock.advance(2010)
    await all
    expect(done).toEqual(items)
    for (const each of histogram(moments).slice(0, 20)) {
      expect(each).toBeGreaterThan(200)
      expect(each).toBeLessThan(300)
    }
    expect(clock.pendingTimers).toBe(0)
  })

  it('makes up for a stall at twice its pace, not by a burst', async () => {
    const clock = createVirtualClock()
    const moments: number[] = []
    const all = spread(stalling(clock, 500, 1200), items, { spreadMs: 2000, limitMs: 10_000 }, () =>
      moments.push(clock.monotonic()),
    )
    await clock.advance(4000)
    await all
    expect(moments).toHaveLength(count)
    const buckets = histogram(moments)
    expect(Math.max(...buckets)).toBeLessThanOrEqual(2 * 250 + 50)
    expect(buckets.slice(5, 12)).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect(moments.at(-1)).toBeLessThan(2500)
  })

  it('is done by its limit, evenly over what is left of the time', async () => {
    const clock = createVirtualClock()
    const moments: number[] = []
    const all = spread(stalling(clock, 200, 1500), items, { spreadMs: 2000, limitMs: 2000 }, () =>
      moments.push(clock.monotonic()),
    )
    await clock.advance(2000)
    await all
    expect(moments).toHaveLength(count)
    // 4,500 in 500 ms.
    for (const each of histogram(moments).slice(15, 20)) expect(each).toBeLessThan(2 * 900)
  })

  it('and at once when it is held up beyond its limit', async () => {
    const clock = createVirtualClock()
    const moments: number[] = []
    const all = spread(stalling(clock, 200, 2500), items, { spreadMs: 2000, limitMs: 2000 }, () =>
      moments.push(clock.monotonic()),
    )
    await clock.advance(2500)
    await all
    expect(moments.at(-1)).toBe(2500)
  })

  it('of no time does everything at once, of nothing ends at once', async () => {
    const clock = createVirtualClock()
    const done: number[] = []
    await spread(clock, [1, 2, 3], { spreadMs: 0, limitMs: 0 }, (item) => done.push(item))
    expect(done).toEqual([1, 2, 3])
    await spread(clock, [], { spreadMs: 2000, limitMs: 2000 }, () => done.push(4))
    expect([done.length, clock.pendingTimers]).toEqual([3, 0])
  })

  it.each([1, 3])('puts %i within the time, each at a moment of its own', async (few) => {
    for (let run = 0; run < 20; run++) {
      const clock = createVirtualClock()
      const moments: number[] = []
      const all = spread(clock, items.slice(0, few), { spreadMs: 2000, limitMs: 2000 }, () =>
        moments.push(clock.monotonic()),
      )
      await clock.advance(2010)
      await all
      expect(new Set(moments).size).toBe(few)
      expect(Math.max(...moments)).toBeLessThanOrEqual(2010)
    }
  })
})
