import { describe, expect, it, vi } from 'vitest'
import { createVirtualClock } from './virtual-clock.ts'

describe('the virtual clock', () => {
  it('starts at startMs and does not advance by itself', async () => {
    const clock = createVirtualClock(1000)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([clock.now(), clock.monotonic(), clock.pendingTimers]).toEqual([1000, 0, 0])
  })

  it('advances both readings', async () => {
    const clock = createVirtualClock(1000)
    await clock.advance(250.5)
    expect([clock.now(), clock.monotonic()]).toEqual([1250.5, 250.5])
  })

  it('runs timers at their time, earliest first, those of one moment in the order of setting', async () => {
    const clock = createVirtualClock(0)
    const ran: string[] = []
    const at = (name: string, ms: number) => clock.timer(ms, () => ran.push(`${name}@${clock.now()}`))
    at('late', 30)
    at('early', 10)
    at('second', 20)
    at('third', 20)
    at('never', 31)
    await clock.advance(30)
    expect(ran).toEqual(['early@10', 'second@20', 'third@20', 'late@30'])
    expect(clock.pendingTimers).toBe(1)
  })

  it('runs timers that are set on the way', async () => {
    const clock = createVirtualClock(0)
    const ran: number[] = []
    const tick = (): void => {
      ran.push(clock.now())
      clock.timer(10, tick)
    }
    clock.timer(10, tick)
    await clock.advance(35)
    expect(ran).toEqual([10, 20, 30])
    expect(clock.now()).toBe(35)
  })

  it('lets promises settle between timers, however long the chain', async () => {
    const clock = createVirtualClock(0)
    const order: string[] = []
    const chain = async (): Promise<void> => {
      for (let hop = 0; hop < 50; hop += 1) await Promise.resolve()
      order.push('chain of the first')
    }
    clock.timer(1, () => void chain())
    clock.timer(2, () => order.push('second'))
    await clock.advance(2)
    expect(order).toEqual(['chain of the first', 'second'])
  })

  it('sees timers that are set by promises that were ready before', async () => {
    const clock = createVirtualClock(0)
    const ran = vi.fn()
    void Promise.resolve().then(() => clock.timer(5, ran))
    await clock.advance(5)
    expect(ran).toHaveBeenCalledTimes(1)
  })

  it('never runs what was cancelled, not even by a timer of the same moment', async () => {
    const clock = createVirtualClock(0)
    const ran = vi.fn()
    clock.timer(5, () => {
      second.cancel()
      second.cancel()
    })
    const second = clock.timer(5, ran)
    clock.timer(1, ran).cancel()
    expect(clock.pendingTimers).toBe(2)
    await clock.advance(10)
    expect(ran).not.toHaveBeenCalled()
    expect(clock.pendingTimers).toBe(0)
  })

  it.each([0, -1, Number.NaN])('runs a timer of %s at the next advance, and not before', async (delay) => {
    const clock = createVirtualClock(0)
    const ran = vi.fn()
    clock.timer(delay, ran)
    expect(ran).not.toHaveBeenCalled()
    await clock.advance(0)
    expect(ran).toHaveBeenCalledTimes(1)
  })

  it('rejects with what a timer throws, and goes on with the next call', async () => {
    const clock = createVirtualClock(0)
    const ran = vi.fn()
    clock.timer(1, () => {
      throw new Error('in a timer')
    })
    clock.timer(2, ran)
    await expect(clock.advance(5)).rejects.toThrow('in a timer')
    await clock.advance(5)
    expect(ran).toHaveBeenCalledTimes(1)
    expect(clock.now()).toBe(6)
  })

  it('does not go back', async () => {
    const clock = createVirtualClock(0)
    await expect(clock.advance(-1)).rejects.toThrow(RangeError)
    await expect(clock.advance(Number.NaN)).rejects.toThrow(RangeError)
  })

  it('is not stopped by fake timers of the test', async () => {
    vi.useFakeTimers()
    try {
      const clock = createVirtualClock(0)
      const ran = vi.fn()
      clock.timer(1, ran)
      await clock.advance(1)
      expect(ran).toHaveBeenCalledTimes(1)
    } finally {
      vi.useRealTimers()
    }
  })
})
