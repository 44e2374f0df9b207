import type { Logger } from '@twinwire/core'
import type { Instruments } from '@twinwire/core/plugin'
import CircuitBreaker from 'opossum'

const states = ['closed', 'open', 'half_open'] as const
type BreakerState = (typeof states)[number]
/** What `circuit_breaker_state` shows. */
const stateValues: Readonly<Record<BreakerState, number>> = { closed: 0, open: 1, half_open: 2 }

export interface BreakerOptions {
  /** False: every request is made, however many have failed. Default true. */
  readonly enabled?: boolean | undefined
  /** Failures in a row that open it. Default 5. */
  readonly failures?: number | undefined
  /** How long it stays open before one request may try. Default 60000. */
  readonly resetMs?: number | undefined
}

export const breakerDefaults: Required<{ [K in keyof BreakerOptions]: Exclude<BreakerOptions[K], undefined> }> = {
  enabled: true,
  failures: 5,
  resetMs: 60_000,
}

/** It is open: nothing was asked. */
export class BreakerOpenError extends Error {
  override readonly name = 'BreakerOpenError'
}

/** Stands before a service that may be down, so that its callers do not wait for it again and again. */
export class Breaker<T> {
  readonly #breaker: CircuitBreaker<[work: () => Promise<T>], T>
  /** Told when a request may try again. */
  onHalfOpen: () => void = () => {}
  #inARow = 0
  #state: BreakerState = 'closed'

  constructor(service: string, options: BreakerOptions, instruments: Instruments, log: Logger) {
    const {
      enabled = breakerDefaults.enabled,
      failures = breakerDefaults.failures,
      resetMs = breakerDefaults.resetMs,
    } = options
    const shared = { shared: true }
    const labels = { service: [service] }
    const stateCell = instruments
      .gauge('circuit_breaker_state', 'State of a circuit breaker: 0 closed, 1 open, 2 half open', labels, shared)
      .cell({ service })
    stateCell.readFrom(() => stateValues[this.#state])
    const changes = instruments.counter(
      'circuit_breaker_state_changes_total',
      'Changes of the state of a circuit breaker',
      { ...labels, from_state: states, to_state: states },
      shared,
    )
    const failed = instruments
      .counter('circuit_breaker_failures_total', 'Failures that a circuit breaker has seen', labels, shared)
      .cell({ service })
    // Its own rule is a share of a window of seconds; requests that are minutes apart never fill one, and
    // of one that outlasts it a single failure is more than all. Ours is so many in a row, or, switched off, none: failures are still counted.
    const breaker = new CircuitBreaker((work: () => Promise<T>) => work(), {
      name: service,
      timeout: false,
      resetTimeout: resetMs,
      errorThresholdPercentage: Number.POSITIVE_INFINITY,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    })
    const enter = (state: BreakerState): void => {
      if (this.#state === state) return
      changes.cell({ service, from_state: this.#state, to_state: state }).inc()
      log.warn({ service, from: this.#state, to: state }, 'A circuit breaker has changed its state')
      this.#state = state
    }
    breaker.on('success', () => {
      this.#inARow = 0
    })
    breaker.on('failure', () => {
      failed.inc()
      this.#inARow++
      if (enabled && this.#inARow >= failures) breaker.open()
    })
    breaker.on('open', () => enter('open'))
    breaker.on('close', () => enter('closed'))
    breaker.on('halfOpen', () => {
      enter('half_open')
      this.onHalfOpen()
    })
    this.#breaker = breaker
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Rejects with a BreakerOpenError, or with what `work` rejects with. */
  async run(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.fire(work)
    } catch (error) {
      if (CircuitBreaker.isOurError(toError(error))) throw new BreakerOpenError('The circuit breaker is open')
      throw error
    }
  }

  /** Ends its timers. */
  close(): void {
    this.#breaker.shutdown()
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
