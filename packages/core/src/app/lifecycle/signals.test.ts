import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../testing/suite.fixtures.ts'
import { createVirtualClock } from '../../testing.ts'
import { watchSignals } from './signals.ts'

/** A process that notes how it would have ended. */
class FakeProcess extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

function watched(close: () => Promise<void>) {
  const process = new FakeProcess()
  const clock = createVirtualClock()
  const closes: number[] = []
  const app = {
    close() {
      closes.push(clock.monotonic())
      return close()
    },
  }
  const stop = watchSignals(app, process, clock)
  return { process, clock, closes, stop }
}

const never = () => new Promise<void>(() => {})
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM'])('%s closes the app once, and the process ends with 0', async (signal) => {
    const closed = deferred()
    const { process, closes } = watched(() => closed.promise)
    process.emit(signal)
    expect(process.exits).toEqual([])
    closed.resolve()
    await turn()
    expect([closes, process.exits]).toEqual([[0], [0]])
  })

  it('ends the process with 1 when closing fails', async () => {
    const { process } = watched(() => Promise.reject(new Error('no')))
    process.emit('SIGTERM')
    await turn()
    expect(process.exits).toEqual([1])
  })

  it('ignores what is repeated within a second, of the other kind too', async () => {
    const { process, clock, closes } = watched(never)
    process.emit('SIGINT')
    process.emit('SIGINT')
    await clock.advance(5)
    process.emit('SIGTERM')
    await clock.advance(994)
    process.emit('SIGINT')
    expect([closes, process.exits]).toEqual([[0], []])
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('a %s that comes a second later ends the process at once with %i', async (signal, code) => {
    const { process, clock, closes } = watched(never)
    process.emit('SIGTERM')
    process.emit('SIGTERM')
    await clock.advance(1000)
    process.emit(signal)
    expect([closes, process.exits]).toEqual([[0], [code]])
  })

  it('are the default again once the handlers are removed', () => {
    const { process, stop } = watched(never)
    stop()
    expect(process.eventNames()).toEqual([])
  })
})
