import type { CounterCell } from './cells.ts'
import type { Clock, Timer } from './clock.ts'
import type { Family, Instruments } from './instruments.ts'
import type { MaybePromise } from './maybe-promise.ts'
import { option } from './option.ts'
import type { OptionRule } from './option-rule.ts'

const states = ['closed', 'open', 'half_open'] as const
/** `closed`: calls are made. `open`: they are refused. `half_open`: one call, the probe, is made; all others are refused until it settles. */
export type CircuitState = (typeof states)[number]
const stateValues: Readonly<Record<CircuitState, number>> = { closed: 0, open: 1, half_open: 2 }

/** The `breaker` option of a plugin. */
export interface CircuitBreakerOptions {
  /** False: every call is made, however many have failed; failures are still counted. Default true. */
  readonly enabled?: boolean | undefined
  /** Consecutive failures that open it. */
  readonly failures?: number | undefined
  /** How long it stays open before a probe, in milliseconds. */
  readonly resetMs?: number | undefined
}

interface CircuitBreakerParts {
  /** Value of the label `service`. */
  readonly service: string
  readonly options: Required<
    Readonly<{ [K in keyof CircuitBreakerOptions]: Exclude<CircuitBreakerOptions[K], undefined> }>
  >
  readonly clock: Clock
  readonly instruments: Instruments
  /** Called after each change of state. `error` is the failure that opened it; null for every other change. It must not throw. */
  readonly onChange?: (from: CircuitState, to: CircuitState, error: unknown) => void
}

/** The circuit breaker is open: the call was not made. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError'
}

/** What the work of one call receives. */
interface CircuitCall {
  /** Aborted when the breaker is disposed. No two calls share one. */
  readonly signal: AbortSignal
}

class RunningCall implements CircuitCall {
  #controller: AbortController | null = null

  /** Created on first use: that takes longer than everything else here. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#controller?.abort(reason)
  }
}

/**
 * Rules of the `breaker` option of a plugin, for `checkOptions`; `failures` and `resetMs` serve environment variables too.
 *
 * @example
 * const rules = { breaker: option.object(circuitBreakerRules({ failures: 5, resetMs: 60_000 })) }
 */
export function circuitBreakerRules(defaults: { readonly failures: number; readonly resetMs: number }): {
  readonly enabled: OptionRule<boolean>
  readonly failures: OptionRule<number>
  readonly resetMs: OptionRule<number>
} {
  return {
    enabled: option.flag({ default: true }),
    failures: option.integer({ min: 1, max: 1_000_000, default: defaults.failures }),
    resetMs: option.duration({ min: 1, default: defaults.resetMs }),
  }
}

/**
 * Protects callers from a service that does not respond: after `failures` consecutive failures calls are refused at once for `resetMs`.
 * Then one probe is made: it closes the breaker if it succeeds, and opens it again if it fails. Nothing waits in a queue.
 *
 * A call that was made before the last change of state no longer changes it, however it settles. The breaker has no time limit of its
 * own: work that never settles, as a probe, keeps it half open.
 *
 * Counts `circuit_breaker_state`, `circuit_breaker_state_changes_total` and `circuit_breaker_failures_total` by `service`.
 *
 * @example
 * const { breaker: options } = checkOptions('mail()', given, rules)
 * const breaker = new CircuitBreaker({ service: 'smtp', options, clock: host.clock, instruments: host.instruments })
 * host.onClose(() => breaker.dispose())
 * await breaker.run(({ signal }) => send(message, signal))
 */
export class CircuitBreaker {
  readonly #parts: CircuitBreakerParts
  readonly #failures: CounterCell
  readonly #changes: Family<{ service: string[]; from_state: typeof states; to_state: typeof states }, CounterCell>
  readonly #running = new Set<RunningCall>()
  #state: CircuitState = 'closed'
  /** Grows with every change of state. */
  #period = 0
  #consecutive = 0
  #isProbing = false
  #timer: Timer | null = null
  #isDisposed = false

  constructor(parts: CircuitBreakerParts) {
    this.#parts = parts
    const { service, instruments } = parts
    const labels = { service: [service] }
    const shared = { shared: true }
    instruments
      .gauge('circuit_breaker_state', 'State of a circuit breaker: 0 closed, 1 open, 2 half open', labels, {
        ...shared,
        combine: 'max',
      })
      .cell({ service })
      .readFrom(() => stateValues[this.#state])
    this.#changes = instruments.counter(
      'circuit_breaker_state_changes_total',
      'Changes of the state of a circuit breaker',
      { ...labels, from_state: states, to_state: states },
      shared,
    )
    this.#failures = instruments
      .counter('circuit_breaker_failures_total', 'Failures that a circuit breaker has seen', labels, shared)
      .cell({ service })
  }

  get state(): CircuitState {
    return this.#state
  }

  /** Would a call be made now? */
  get admits(): boolean {
    return !this.#isDisposed && this.#state !== 'open' && !this.#isProbing
  }

  /** @throws CircuitOpenError when the call is not made; else what `work` throws or rejects with. */
  async run<T>(work: (call: CircuitCall) => MaybePromise<T>): Promise<T> {
    const { service } = this.#parts
    if (!this.admits) throw new CircuitOpenError(`The circuit breaker of ${service} is open`)
    const period = this.#period
    this.#isProbing = this.#state === 'half_open'
    const call = new RunningCall()
    this.#running.add(call)
    let result: T
    try {
      result = await work(call)
    } catch (error) {
      if (!this.#isDisposed) this.#onFailure(period, error)
      throw error
    } finally {
      this.#running.delete(call)
    }
    if (!this.#isDisposed) this.#onSuccess(period)
    return result
  }

  /** Idempotent. Aborts the calls that are running and refuses every later one; the state no longer changes. */
  dispose(): void {
    this.#isDisposed = true
    this.#timer?.cancel()
    const reason = new Error(`The circuit breaker of ${this.#parts.service} was disposed`)
    for (const call of this.#running) call.abort(reason)
  }

  #onSuccess(period: number): void {
    if (period !== this.#period) return
    this.#consecutive = 0
    if (this.#state === 'half_open') this.#enter('closed', null)
  }

  #onFailure(period: number, error: unknown): void {
    this.#failures.inc()
    if (period !== this.#period) return
    const { enabled, failures, resetMs } = this.#parts.options
    this.#consecutive++
    if (this.#state === 'closed' && (!enabled || this.#consecutive < failures)) return
    this.#timer = this.#parts.clock.timer(resetMs, () => this.#enter('half_open', null))
    this.#enter('open', error)
  }

  #enter(to: CircuitState, error: unknown): void {
    const { service, onChange } = this.#parts
    const from = this.#state
    this.#state = to
    this.#period++
    this.#consecutive = 0
    this.#isProbing = false
    this.#changes.cell({ service, from_state: from, to_state: to }).inc()
    onChange?.(from, to, error)
  }
}
