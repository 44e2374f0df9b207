import type { Clock, Timer } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Broker } from '../hub/broker.ts'

/** A node that has ended without a word holds a lease as long as this. */
const leaseMs = 15_000
/** It is renewed three times within its length, and a node that waits for it asks as often. */
const renewMs = 5000

export type LeasingBroker = Required<Pick<Broker, 'lease' | 'release'>>

interface TaskLeaseOptions {
  readonly name: string
  readonly broker: LeasingBroker
  readonly clock: Clock
  readonly log: Logger
}

interface LeaseListener {
  taken(): void
  /** It was not renewed in time: another node may have it. */
  lost(): void
}

/** Which of the nodes runs a task. */
export class TaskLease {
  readonly #options: TaskLeaseOptions
  #listener: LeaseListener | null = null
  #timer: Timer | null = null
  #asking: Promise<void> = Promise.resolve()
  /** Of the monotonic clock; from then on another node may have it. */
  #untilMs = Number.NEGATIVE_INFINITY
  #held = false
  #isEnding = false
  #stopped = false

  constructor(options: TaskLeaseOptions) {
    this.#options = options
  }

  /** This node has the lease now. */
  get held(): boolean {
    return this.#held && this.#options.clock.monotonic() < this.#untilMs
  }

  start(listener: LeaseListener): void {
    this.#listener = listener
    this.#ask()
  }

  /** The last run is in progress: it is kept until that has ended, and not asked for again. */
  end(): void {
    this.#isEnding = true
  }

  /** Gives the lease up, so that another node need not wait for its end. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#asking
    if (!this.#held) return
    this.#held = false
    const { broker, name, log } = this.#options
    try {
      await broker.release(name)
    } catch (error) {
      log.warn({ err: error }, `The lease of the task ${name} was not given up: it ends within ${leaseMs / 1000} s`)
    }
  }

  #ask(): void {
    this.#asking = this.#renew().then(() => {
      if (this.#stopped || (this.#isEnding && !this.#held)) return
      // At its end at the latest it is known whether it was renewed.
      const leftMs = this.#untilMs - this.#options.clock.monotonic()
      this.#timer = this.#options.clock.timer(this.#held ? Math.min(renewMs, Math.max(leftMs, 1)) : renewMs, () =>
        this.#ask(),
      )
    })
  }

  async #renew(): Promise<void> {
    const { broker, clock, name, log } = this.#options
    this.#endLapsed()
    // From before the question: the broker counts from later.
    const askedMs = clock.monotonic()
    let isOurs: boolean | null = null
    try {
      isOurs = await this.#inTime(broker.lease(name, leaseMs))
    } catch (error) {
      log.warn({ err: error }, `The lease of the task ${name} was not renewed: asked again in ${renewMs / 1000} s`)
    }
    this.#endLapsed()
    if (isOurs === true) this.#untilMs = askedMs + leaseMs
    const isHeld = isOurs === true || (isOurs === null && this.held)
    if (isHeld === this.#held) return
    this.#held = isHeld
    if (isHeld) this.#listener?.taken()
    else this.#listener?.lost()
  }

  /** The process was busy or stopped when it should have renewed it: what it ran meanwhile has not gone on, and begins anew. */
  #endLapsed(): void {
    if (!this.#held || this.held) return
    this.#held = false
    this.#listener?.lost()
  }

  /** Null when no answer came in time: before the end of the lease that this node has. */
  #inTime(answer: boolean | Promise<boolean>): Promise<boolean | null> {
    const { clock } = this.#options
    const limitMs = this.#held ? Math.max(1, this.#untilMs - clock.monotonic()) : leaseMs
    return new Promise((resolve, reject) => {
      const timer = clock.timer(limitMs, () => resolve(null))
      Promise.resolve(answer)
        .then(resolve, reject)
        .finally(() => timer.cancel())
    })
  }
}
