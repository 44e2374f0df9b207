import type { Logger } from '@twinwire/core'
import type { Instruments } from '@twinwire/core/plugin'
import CircuitBreaker from 'opossum'
import type { MaybePromise } from '../store.ts'

const states = ['closed', 'open', 'half_open'] as const
type State = (typeof states)[number]
/** What `circuit_breaker_state` shows. */
const stateValues: Readonly<Record<State, number>> = { closed: 0, open: 1, half_open: 2 }

export interface BreakerOptions {
  /** False: every call asks the store, however many have failed. Default true. */
  readonly enabled?: boolean | undefined
  /** Failures in a row that open it. Default 3. */
  readonly failures?: number | undefined
  /** How long the store is left alone before one call may ask again. Default 30,000. */
  readonly resetMs?: number | undefined
}

export const breakerDefaults: { readonly enabled: boolean; readonly failures: number; readonly resetMs: number } = {
  enabled: true,
  failures: 3,
  resetMs: 30_000,
}

interface StoreBreakerParts {
  /** Of the store, for people. */
  readonly name: string
  readonly service: string
  /** What happens while it is open, for the log. */
  readonly meanwhile: string
  readonly options: BreakerOptions
  readonly instruments: Instruments
  readonly log: Logger
}

/** Stands before a store that may be away, so that calls do not wait for it again and again. Tells of every change in one line. */
export class StoreBreaker {
  readonly #breaker: CircuitBreaker<[answer: Promise<unknown>], unknown>
  #state: State = 'closed'
  #inARow = 0
  #lastError: unknown = null

  constructor({ name, service, meanwhile, options, instruments, log }: StoreBreakerParts) {
    const { enabled = true, failures = breakerDefaults.failures, resetMs = breakerDefaults.resetMs } = options
    const labels = { service: [service] }
    const shared = { shared: true }
    instruments
      .gauge('circuit_breaker_state', 'State of a circuit breaker: 0 closed, 1 open, 2 half open', labels, shared)
      .cell({ service })
      .readFrom(() => stateValues[this.#state])
    const changes = instruments.counter(
      'circuit_breaker_state_changes_total',
      'Changes of the state of a circuit breaker',
      { ...labels, from_state: states, to_state: states },
      shared,
    )
    const failed = instruments
      .counter('circuit_breaker_failures_total', 'Failures that a circuit breaker has seen', labels, shared)
      .cell({ service })
    // Its own rule is a share of all calls within a window: of many calls too many would have to fail first, of few never
    // enough, and of one that outlasts the window a single failure is more than all.
    this.#breaker = new CircuitBreaker((answer: Promise<unknown>) => answer, {
      name: service,
      timeout: false,
      resetTimeout: resetMs,
      errorThresholdPercentage: Number.POSITIVE_INFINITY,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    })
    const enter = (state: State): void => {
      if (this.#state === state) return
      changes.cell({ service, from_state: this.#state, to_state: state }).inc()
      const from = this.#state
      const fields = { service, from, to: state }
      this.#state = state
      // An outage is two lines, however often it is tried in between.
      if (state === 'closed') log.warn(fields, `${name} answers again`)
      else if (state === 'open' && from === 'closed')
        log.warn({ ...fields, err: this.#lastError }, `${name} fails: ${meanwhile}`)
      else log.debug(fields, state === 'open' ? `${name} still fails` : `${name} is tried again`)
    }
    this.#breaker.on('success', () => {
      this.#inARow = 0
    })
    this.#breaker.on('failure', (error: unknown) => {
      failed.inc()
      this.#lastError = error
      this.#inARow++
      if (enabled && this.#inARow >= failures) this.#breaker.open()
    })
    this.#breaker.on('open', () => enter('open'))
    this.#breaker.on('halfOpen', () => enter('half_open'))
    this.#breaker.on('close', () => enter('closed'))
  }

  /** May the store be asked now? Half open, one call may, until it is answered. */
  get admits(): boolean {
    return this.#breaker.closed || (this.#breaker.halfOpen && this.#breaker.pendingClose)
  }

  /** Only when it admits. Rejects with what `ask` throws or rejects with. */
  async run<T>(ask: () => MaybePromise<T>): Promise<T> {
    const answer = begin(ask)
    // Without this the answer of a breaker that has opened meanwhile would be a rejection that nobody handles.
    answer.catch(() => {})
    await this.#breaker.fire(answer)
    return answer
  }

  /** Ends its timers. */
  close(): void {
    this.#breaker.shutdown()
  }
}

async function begin<T>(ask: () => MaybePromise<T>): Promise<T> {
  return ask()
}
