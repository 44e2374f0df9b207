import { systemClock } from '@twinwire/core/plugin'
import { createVirtualClock } from '@twinwire/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { DeadlineQueue } from './deadline-queue.ts'

describe('a queue of deadlines', () => {
  it('expires deadlines in time and in order, with one timer', async () => {
    const clock = createVirtualClock()
    const queue = new DeadlineQueue(clock, 100)
    const expired: string[] = []
    queue.add(() => expired.push(`a@${clock.monotonic()}`))
    await clock.advance(40)
    queue.add(() => expired.push(`b@${clock.monotonic()}`))
    const cancel = queue.add(() => expired.push('cancelled'))
    queue.add(() => expired.push(`c@${clock.monotonic()}`))
    cancel()
    expect(clock.pendingTimers).toBe(1)
    await clock.advance(99)
    expect(expired).toEqual(['a@100'])
    await clock.advance(1)
    expect(expired).toEqual(['a@100', 'b@140', 'c@140'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('has no timer when all deadlines were cancelled', async () => {
    const clock = createVirtualClock()
    const queue = new DeadlineQueue(clock, 100)
    const onExpired = vi.fn()
    for (let i = 0; i < 10; i += 1) queue.add(onExpired)()
    await clock.advance(100)
    expect(clock.pendingTimers).toBe(0)
    queue.add(onExpired)
    await clock.advance(100)
    expect(onExpired).toHaveBeenCalledTimes(1)
  })

  it('does not expire a deadline whose reply has arrived and was not read yet', async () => {
    const queue = new DeadlineQueue(systemClock, 1)
    const onExpired = vi.fn()
    const cancel = queue.add(onExpired)
    // The reply has arrived while this process was busy, so the timer fires first.
    const read = new Promise<void>((resolve) => {
      setImmediate(() => {
        cancel()
        resolve()
      })
      const until = performance.now() + 5
      while (performance.now() < until);
    })
    await read
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(onExpired).not.toHaveBeenCalled()
  })

  it('expires all deadlines when it is flushed', async () => {
    const clock = createVirtualClock()
    const queue = new DeadlineQueue(clock, 100)
    const onExpired = vi.fn()
    queue.add(onExpired)
    queue.flush()
    expect(onExpired).toHaveBeenCalledTimes(1)
    expect(clock.pendingTimers).toBe(0)
  })
})
