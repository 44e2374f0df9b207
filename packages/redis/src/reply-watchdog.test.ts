import { systemClock } from '@twinwire/core/plugin'
import { createVirtualClock } from '@twinwire/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { ReplyWatchdog } from './reply-watchdog.ts'

function watch() {
  const clock = createVirtualClock()
  const onStalled = vi.fn()
  const state = { isPending: true }
  return { clock, onStalled, state, watchdog: new ReplyWatchdog(clock, 100, () => state.isPending, onStalled) }
}

describe('a reply watchdog', () => {
  it('calls back once when a reply is pending and none arrives', async () => {
    const { clock, onStalled, watchdog } = watch()
    watchdog.start()
    await clock.advance(99)
    expect(onStalled).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(onStalled).toHaveBeenCalledTimes(1)
    expect(clock.pendingTimers).toBe(0)
  })

  it('measures from the last reply, or from the first command after an idle time', async () => {
    const { clock, onStalled, watchdog, state } = watch()
    watchdog.start()
    await clock.advance(60)
    watchdog.onReply()
    await clock.advance(60)
    expect(onStalled).not.toHaveBeenCalled()
    state.isPending = false
    await clock.advance(35)
    state.isPending = true
    watchdog.start()
    await clock.advance(90)
    expect(onStalled).not.toHaveBeenCalled()
    await clock.advance(10)
    expect(onStalled).toHaveBeenCalledTimes(1)
  })

  it('does not fire when a reply has arrived and was not read yet', async () => {
    const onStalled = vi.fn()
    const watchdog = new ReplyWatchdog(systemClock, 1, () => true, onStalled)
    watchdog.start()
    // The reply has arrived while this process was busy, so the timer fires first.
    const read = new Promise<void>((resolve) => {
      setImmediate(() => {
        watchdog.onReply()
        watchdog.stop()
        resolve()
      })
      const until = performance.now() + 5
      while (performance.now() < until);
    })
    await read
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(onStalled).not.toHaveBeenCalled()
  })

  it('does nothing and has no timer while nothing is pending or when it is stopped', async () => {
    const { clock, onStalled, watchdog, state } = watch()
    watchdog.start()
    state.isPending = false
    await clock.advance(200)
    expect(clock.pendingTimers).toBe(0)
    state.isPending = true
    watchdog.start()
    watchdog.stop()
    await clock.advance(200)
    expect(onStalled).not.toHaveBeenCalled()
    expect(clock.pendingTimers).toBe(0)
  })
})
