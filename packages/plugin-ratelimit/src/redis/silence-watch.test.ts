import { systemClock } from '@twinwire/core/plugin'
import { createVirtualClock } from '@twinwire/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { SilenceWatch } from './silence-watch.ts'

function watch() {
  const clock = createVirtualClock()
  const onSilent = vi.fn()
  const state = { isDue: true }
  return { clock, onSilent, state, silence: new SilenceWatch(clock, 100, () => state.isDue, onSilent) }
}

describe('a watch for silence', () => {
  it('tells once when an answer is due and none comes', async () => {
    const { clock, onSilent, silence } = watch()
    silence.begin()
    await clock.advance(99)
    expect(onSilent).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(onSilent).toHaveBeenCalledTimes(1)
    expect(clock.pendingTimers).toBe(0)
  })

  it('counts from the last answer, or from the first question after a pause', async () => {
    const { clock, onSilent, silence, state } = watch()
    silence.begin()
    await clock.advance(60)
    silence.heard()
    await clock.advance(60)
    expect(onSilent).not.toHaveBeenCalled()
    state.isDue = false
    await clock.advance(35)
    state.isDue = true
    silence.begin()
    await clock.advance(90)
    expect(onSilent).not.toHaveBeenCalled()
    await clock.advance(10)
    expect(onSilent).toHaveBeenCalledTimes(1)
  })

  it('lets what has arrived meanwhile be read first', async () => {
    const onSilent = vi.fn()
    const silence = new SilenceWatch(systemClock, 1, () => true, onSilent)
    silence.begin()
    // The answer is there, and this process was too busy to read it: the timer is due first.
    const read = new Promise<void>((resolve) => {
      setImmediate(() => {
        silence.heard()
        silence.stop()
        resolve()
      })
      const until = performance.now() + 5
      while (performance.now() < until);
    })
    await read
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(onSilent).not.toHaveBeenCalled()
  })

  it('is quiet, and without a timer, while nothing is due or when it is stopped', async () => {
    const { clock, onSilent, silence, state } = watch()
    silence.begin()
    state.isDue = false
    await clock.advance(200)
    expect(clock.pendingTimers).toBe(0)
    state.isDue = true
    silence.begin()
    silence.stop()
    await clock.advance(200)
    expect(onSilent).not.toHaveBeenCalled()
    expect(clock.pendingTimers).toBe(0)
  })
})
