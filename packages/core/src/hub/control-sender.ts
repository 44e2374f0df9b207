import type { CounterCell } from '../base/cells.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { Broker, ControlMessage } from './broker.ts'

interface SenderOptions {
  readonly broker: Pick<Broker, 'control'>
  readonly clock: Clock
  readonly log: Logger
  readonly sent: CounterCell
  readonly retried: CounterCell
  readonly lost: CounterCell
}

/** A message that the broker has not taken. */
interface Waiting {
  readonly message: ControlMessage
  /** Of the clock that does not go back: it need not be sent after that. */
  readonly untilMs: number
  /** An attempt that took too long has succeeded after all. */
  taken: boolean
}

/** An attempt that takes longer counts as failed: a message that arrives twice does no harm. */
const attemptMs = 3000
const firstDelayMs = 250
const maxDelayMs = 5000
/** While the app closes. */
const closingDelayMs = 100
const maxWaiting = 10_000

/** Sends control messages. Those that the broker does not take, and that are to be kept, are sent again until it takes them or their time is over. */
export class ControlSender {
  readonly #options: SenderOptions
  readonly #waiting = new Set<Waiting>()
  /** First attempts that have not ended. */
  readonly #attempts = new Set<Promise<boolean>>()
  #state: 'created' | 'started' | 'closing' | 'closed' = 'created'
  #timer: Timer | null = null
  #delayMs = firstDelayMs
  #retrying: Promise<void> | null = null
  #onEmpty: (() => void) | null = null

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Number of messages that the broker has not taken. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** The broker has started. */
  start(): void {
    this.#state = 'started'
    if (this.#waiting.size > 0) this.#retry()
  }

  /**
   * True: the broker has the message. False: it has not, which was logged; with `keepMs` it is sent again for so long. Never rejects. Without a
   * promise if the broker answers without one.
   */
  send(message: ControlMessage, keepMs: number): MaybePromise<boolean> {
    const entry = { message, untilMs: this.#options.clock.monotonic() + keepMs, taken: false }
    if (this.#state === 'closed') return this.#keep(entry, 0, new Error('The app has closed'))
    if (this.#state === 'created') return this.#keep(entry, keepMs, null)
    const result = this.#attempt(entry, keepMs)
    const done = (error: Error | null): boolean => (error === null ? this.#taken() : this.#keep(entry, keepMs, error))
    if (!isPromise(result)) return done(result)
    const outcome = result.then(done).finally(() => this.#attempts.delete(outcome))
    this.#attempts.add(outcome)
    return outcome
  }

  /** Resolves when the broker has everything, or the rest has expired. */
  async flush(): Promise<void> {
    if (this.#state === 'created') return
    this.#state = 'closing'
    await Promise.all(this.#attempts)
    if (this.#waiting.size === 0) return
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
      this.#retry()
    })
  }

  /** Whatever waits is lost. */
  close(): void {
    this.#state = 'closed'
    this.#timer?.cancel()
    if (this.#waiting.size === 0) return
    this.#options.lost.inc(this.#waiting.size)
    this.#options.log.error(
      { messages: this.#waiting.size },
      'The app has closed before the broker took all control messages: other nodes do not receive them',
    )
    this.#waiting.clear()
  }

  #taken(): true {
    this.#options.sent.inc()
    if (this.#waiting.size > 0) this.#retry()
    return true
  }

  #keep(entry: Waiting, keepMs: number, error: Error | null): false {
    const { log, lost } = this.#options
    const { type } = entry.message
    if (keepMs <= 0 || this.#waiting.size >= maxWaiting) {
      lost.inc()
      const why = keepMs <= 0 ? '' : `: ${maxWaiting} wait already`
      log.error({ err: error, type }, `The broker did not take a control message, and it is not sent again${why}`)
      return false
    }
    if (entry.taken) return false
    if (this.#waiting.size === 0 && error !== null)
      log.error({ err: error, type }, 'The broker does not take control messages: they are sent again until it does')
    this.#waiting.add(entry)
    if (this.#retrying === null && this.#timer === null) this.#arm()
    return false
  }

  #arm(): void {
    if (this.#state === 'created' || this.#state === 'closed') return
    const delayMs = this.#state === 'closing' ? closingDelayMs : this.#delayMs
    this.#delayMs = Math.min(this.#delayMs * 2, maxDelayMs)
    this.#timer = this.#options.clock.timer(delayMs, () => this.#retry())
  }

  #retry(): void {
    if (this.#retrying !== null) return
    this.#timer?.cancel()
    this.#timer = null
    this.#retrying = this.#sendWaiting().finally(() => {
      this.#retrying = null
      if (this.#waiting.size > 0) return this.#arm()
      this.#delayMs = firstDelayMs
      this.#onEmpty?.()
    })
  }

  /** In order, until one is not taken. */
  async #sendWaiting(): Promise<void> {
    const { clock, log, sent, retried, lost } = this.#options
    let taken = 0
    let expired = 0
    for (const entry of this.#waiting) {
      const keepMs = entry.untilMs - clock.monotonic()
      if (!entry.taken && keepMs > 0) {
        retried.inc()
        if ((await this.#attempt(entry, Math.ceil(keepMs))) !== null) break
      }
      this.#waiting.delete(entry)
      if (entry.taken || keepMs > 0) taken++
      else expired++
    }
    sent.inc(taken)
    lost.inc(expired)
    if (expired > 0)
      log.error({ messages: expired }, 'The broker did not take control messages within the time for which they matter')
    if (taken > 0 && this.#waiting.size === 0)
      log.info({ messages: taken }, 'The broker has taken the control messages that waited')
  }

  /** Null: the broker has it. */
  #attempt(entry: Waiting, keepMs: number): MaybePromise<Error | null> {
    const { broker, clock } = this.#options
    let result: MaybePromise<void>
    try {
      result = broker.control(entry.message, keepMs)
    } catch (error) {
      return toError(error)
    }
    if (!isPromise(result)) return null
    return new Promise((resolve) => {
      const timer = clock.timer(attemptMs, () => resolve(new Error(`The broker did not answer within ${attemptMs} ms`)))
      result.then(
        () => {
          entry.taken = true
          timer.cancel()
          resolve(null)
        },
        (error: unknown) => {
          timer.cancel()
          resolve(toError(error))
        },
      )
    })
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
