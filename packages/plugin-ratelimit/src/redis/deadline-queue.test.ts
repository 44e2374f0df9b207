import { systemClock } from '@twinwire/core/plugin'
import { createVirtualClock } from '@twinwire/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { DeadlineQueue } from './deadline-queue.ts'

describe('a queue of deadlines', () => {
  it('tells who is late, in time and in order, by one timer', async () => {
    const clock = createVirtualClock()
    const queue = new DeadlineQueue(clock, 100)
    const late: string[] = []
    queue.add(() => late.push(`a@${clock.monotonic()}`))
    await clock.advance(40)
    queue.add(() => late.push(`b@${clock.monotonic()}`))
    const leave = queue.add(() => late.push('left'))
    queue.add(() => late.push(`c@${clock.monotonic()}`))
    leave()
    expect(clock.pendingTimers).toBe(1)
    await clock.advance(99)
    expect(late).toEqual(['a@100'])
    await clock.advance(1)
    expect(late).toEqual(['a@100', 'b@140', 'c@140'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('has no timer left when everybody has left', async () => {
    const clock = createVirtualClock()
    const queue = new DeadlineQueue(clock, 100)
    const onLate = vi.fn()
    for (let i = 0; i < 10; i += 1) queue.add(onLate)()
    await clock.advance(100)
    expect(clock.pendingTimers).toBe(0)
    queue.add(onLate)
    await clock.advance(100)
    expect(onLate).toHaveBeenCalledTimes(1)
  })

  it('lets what has arrived meanwhile be read before it calls anybody late', async () => {
    const queue = new DeadlineQueue(systemClock, 1)
    const onLate = vi.fn()
    const leave = queue.add(onLate)
    // The answer is there, and this process was too busy to read it: the timer is due first.
    const read = new Promise<void>((resolve) => {
      setImmediate(() => {
        leave()
        resolve()
      })
      const until = performance.now() + 5
      while (performance.now() < until);
    })
    await read
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(onLate).not.toHaveBeenCalled()
  })

  it('calls everybody late who waits when it is flushed', async () => {
    const clock = createVirtualClock()
    const queue = new DeadlineQueue(clock, 100)
    const onLate = vi.fn()
    queue.add(onLate)
    queue.flush()
    expect(onLate).toHaveBeenCalledTimes(1)
    expect(clock.pendingTimers).toBe(0)
  })
})
