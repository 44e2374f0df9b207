import { describe, expect, it, vi } from 'vitest'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { CircuitBreaker, CircuitOpenError, circuitBreakerRules } from './circuit-breaker.ts'
import { Instruments } from './instruments.ts'
import { checkOptions } from './options.ts'

const failures = 2
const resetMs = 100

function create(options: { enabled?: boolean; failures?: number } = {}) {
  const clock = createVirtualClock()
  const instruments = new Instruments()
  const changes: string[] = []
  const breaker = new CircuitBreaker({
    service: 'smtp',
    options: { enabled: true, failures, resetMs, ...options },
    clock,
    instruments,
    onChange: (from, to, error) => changes.push(`${from} ${to} ${error instanceof Error ? error.message : error}`),
  })
  const fail = () => breaker.run(() => Promise.reject(new Error('down'))).catch((error: unknown) => error)
  const cells = (name: string) =>
    (instruments.families().find((family) => family.name === name)?.cells ?? []).map(({ labels, cell }) => [
      labels,
      'value' in cell && cell.value,
    ])
  return { breaker, clock, changes, fail, cells }
}

/** A call that the test settles. */
function startCall(breaker: CircuitBreaker) {
  const call = { isMade: false, resolve: () => {}, reject: (_error: Error) => {} }
  const work = () =>
    new Promise<void>((resolve, reject) => {
      Object.assign(call, { isMade: true, resolve, reject })
    })
  const result = breaker.run(work).then(
    () => 'succeeded',
    (error: unknown) => (error instanceof CircuitOpenError ? 'refused' : 'failed'),
  )
  return { call, result }
}

describe('a circuit breaker', () => {
  it('opens after consecutive failures, however far apart, and then makes no call [defect 15]', async () => {
    const { breaker, clock, fail, cells, changes } = create({ failures: 3 })
    await fail()
    await fail()
    await breaker.run(() => 'up')
    await fail()
    await clock.advance(86_400_000)
    await fail()
    expect(breaker.state).toBe('closed')
    expect(await fail()).toMatchObject({ message: 'down' })
    expect([breaker.state, breaker.admits]).toEqual(['open', false])
    const work = vi.fn()
    await expect(breaker.run(work)).rejects.toThrow(new CircuitOpenError('The circuit breaker of smtp is open'))
    expect(work).not.toHaveBeenCalled()
    expect(cells('circuit_breaker_failures_total')).toEqual([[{ service: 'smtp' }, 5]])
    expect(cells('circuit_breaker_state')).toEqual([[{ service: 'smtp' }, 1]])
    expect(changes).toEqual(['closed open down'])
  })

  it('after its time makes one probe: a failure opens it again, a success closes it [defect 17]', async () => {
    const { breaker, clock, fail, cells, changes } = create({ failures: 1 })
    await fail()
    await clock.advance(resetMs - 1)
    expect(breaker.state).toBe('open')
    await clock.advance(1)
    expect([breaker.state, breaker.admits]).toEqual(['half_open', true])
    expect(cells('circuit_breaker_state')).toEqual([[{ service: 'smtp' }, 2]])
    await fail()
    expect(breaker.state).toBe('open')
    await clock.advance(resetMs)
    expect(await breaker.run(async () => 'up')).toBe('up')
    expect([breaker.state, clock.pendingTimers]).toEqual(['closed', 0])
    const service = 'smtp'
    expect(cells('circuit_breaker_state_changes_total')).toEqual([
      [{ service, from_state: 'closed', to_state: 'open' }, 1],
      [{ service, from_state: 'open', to_state: 'half_open' }, 2],
      [{ service, from_state: 'half_open', to_state: 'open' }, 1],
      [{ service, from_state: 'half_open', to_state: 'closed' }, 1],
    ])
    expect(changes).toHaveLength(5)
  })

  it('refuses all other calls at once while the probe runs', async () => {
    const { breaker, clock, fail } = create({ failures: 1 })
    await fail()
    await clock.advance(resetMs)
    const probe = startCall(breaker)
    expect(breaker.admits).toBe(false)
    const others = Array.from({ length: 1000 }, () => startCall(breaker).result)
    expect(new Set(await Promise.all(others))).toEqual(new Set(['refused']))
    probe.call.resolve()
    expect([await probe.result, breaker.state, breaker.admits]).toEqual(['succeeded', 'closed', true])
  })

  it('that is not enabled never opens, and counts failures', async () => {
    const { breaker, fail, cells } = create({ enabled: false, failures: 1 })
    for (let i = 0; i < 10; i++) expect(await fail()).toMatchObject({ message: 'down' })
    expect(breaker.state).toBe('closed')
    expect(cells('circuit_breaker_failures_total')).toEqual([[{ service: 'smtp' }, 10]])
  })

  it('rejects with what the work throws', async () => {
    const { breaker } = create()
    const thrown = breaker.run(() => {
      throw new Error('at once')
    })
    await expect(thrown).rejects.toThrow('at once')
  })

  it('gives each call a signal of its own, which is aborted when the breaker is disposed', async () => {
    const { breaker, clock, fail, cells, changes } = create({ failures: 2 })
    const signals: AbortSignal[] = []
    const hang = () =>
      breaker.run(({ signal }) => {
        signals.push(signal)
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      })
    const calls = [hang(), hang()]
    await fail()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
    expect(signals[0]).not.toBe(signals[1])
    breaker.dispose()
    breaker.dispose()
    for (const call of calls) await expect(call).rejects.toThrow('The circuit breaker of smtp was disposed')
    await expect(breaker.run(() => 1)).rejects.toThrow(CircuitOpenError)
    // What was aborted says nothing about the service.
    expect(cells('circuit_breaker_failures_total')).toEqual([[{ service: 'smtp' }, 1]])
    expect([breaker.state, breaker.admits, changes, clock.pendingTimers]).toEqual(['closed', false, [], 0])
  })

  it('stays open without a timer once it is disposed', async () => {
    const { breaker, clock, fail } = create({ failures: 1 })
    await fail()
    breaker.dispose()
    expect([breaker.state, clock.pendingTimers]).toEqual(['open', 0])
  })
})

const actions = ['start', 'oldest succeeds', 'oldest fails', 'newest succeeds', 'newest fails', 'time passes'] as const
type Action = (typeof actions)[number]

/** What the breaker must do, written as one step of a state machine. */
class Model {
  state: 'closed' | 'open' | 'half_open' = 'closed'
  /** Of each running call: may it still change the state? */
  running: { counts: boolean }[] = []
  inARow = 0
  refused = 0

  step(action: Action): void {
    if (action === 'start') {
      const isProbed = this.state === 'half_open' && this.running.some(({ counts }) => counts)
      if (this.state === 'open' || isProbed) this.refused++
      else this.running.push({ counts: true })
    } else if (action === 'time passes') {
      if (this.state === 'open') this.#enter('half_open')
    } else {
      const call = action.startsWith('oldest') ? this.running.shift() : this.running.pop()
      if (call?.counts !== true) return
      const succeeds = action.endsWith('succeeds')
      this.inARow = succeeds ? 0 : this.inARow + 1
      if (this.state === 'half_open') this.#enter(succeeds ? 'closed' : 'open')
      else if (this.inARow === failures) this.#enter('open')
    }
  }

  #enter(state: Model['state']): void {
    this.state = state
    this.inARow = 0
    for (const call of this.running) call.counts = false
  }
}

const halfOpen: readonly Action[] = ['start', 'start', 'oldest fails', 'oldest fails', 'time passes']

it.each([
  ['closed', []],
  ['half open', halfOpen],
] as const)('follows the model in every sequence of five actions, from %s', async (_, before) => {
  const length = 5
  for (let i = 0; i < actions.length ** length; i++) {
    const digits = Array.from({ length }, (_, place) => Math.floor(i / actions.length ** place) % actions.length)
    const sequence = [...before, ...digits.flatMap((digit) => actions[digit] ?? [])]
    const timers = new Set<() => void>()
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      timer(delayMs: number, callback: () => void) {
        expect(delayMs).toBe(resetMs)
        timers.add(callback)
        return { cancel: () => void timers.delete(callback) }
      },
    }
    const options = { enabled: true, failures, resetMs }
    const breaker = new CircuitBreaker({ service: 'smtp', options, clock, instruments: new Instruments() })
    const model = new Model()
    const running: ReturnType<typeof startCall>[] = []
    let refused = 0
    for (const action of sequence) {
      model.step(action)
      if (action === 'start') {
        const started = startCall(breaker)
        if (started.call.isMade) running.push(started)
        else {
          refused++
          await started.result
        }
      } else if (action === 'time passes') {
        for (const callback of timers) {
          timers.delete(callback)
          callback()
        }
      } else {
        const settled = action.startsWith('oldest') ? running.shift() : running.pop()
        if (action.endsWith('succeeds')) settled?.call.resolve()
        else settled?.call.reject(new Error('down'))
        await settled?.result
      }
      const is = [breaker.state, running.length, refused, timers.size]
      const expected = [model.state, model.running.length, model.refused, model.state === 'open' ? 1 : 0]
      if (String(is) !== String(expected)) expect.fail(`${sequence.join(', ')}: ${is} instead of ${expected}`)
    }
  }
})

it('has rules for its options', () => {
  const rules = circuitBreakerRules({ failures: 5, resetMs: 60_000 })
  expect(checkOptions('mail()', {}, rules)).toEqual({ enabled: true, failures: 5, resetMs: 60_000 })
  expect(() => checkOptions('mail()', { failures: 0 }, rules)).toThrow(
    'mail(): failures must be an integer from 1 to 1000000, received 0',
  )
})
