import { BootError, type Clock, type Logger } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import type { Published } from './issuer-documents.ts'

export interface KeyOptions {
  /** How long one request to the issuer may take. Default 5000. */
  readonly timeoutMs?: number | undefined
  /** Least time between two requests that tokens of unknown keys cause, and between attempts after a failure. Default 30000. */
  readonly cooldownMs?: number | undefined
  /** How often keys and `not-before` are read anew. Default 600000. */
  readonly maxAgeMs?: number | undefined
  /** How long the last good keys serve while the issuer cannot be reached. Default 3600000. */
  readonly maxStaleMs?: number | undefined
  /** Largest document. Default 524288. */
  readonly maxBytes?: number | undefined
}

export const keyDefaults: Required<{ [K in keyof KeyOptions]: Exclude<KeyOptions[K], undefined> }> = {
  timeoutMs: 5000,
  cooldownMs: 30_000,
  maxAgeMs: 600_000,
  maxStaleMs: 3_600_000,
  maxBytes: 512 * 1024,
}

export interface IssuerState extends Published {
  /** By the monotonic clock. */
  readonly readAt: number
}

interface IssuerKeysParts {
  readonly read: () => Promise<Published>
  readonly clock: Clock
  readonly log: Logger
  /** What the issuer publishes has changed. */
  readonly onChange: (now: IssuerState, before: IssuerState) => void
}

/** First pause after a failure while there have never been keys; each further one is twice as long, up to the cooldown. */
const firstRetryMs = 1000

/**
 * What the issuer has published, as it was last read. It is read anew by a timer, so that no call waits for it, and when a token names a
 * key that is not known. The last good reading serves while the issuer is down, for a bounded time.
 */
export class IssuerKeys {
  readonly #options: typeof keyDefaults
  readonly #parts: IssuerKeysParts
  #state: IssuerState | null = null
  #running: Promise<void> | null = null
  #timer: Timer | null = null
  #attemptedAt = Number.NEGATIVE_INFINITY
  #failures = 0
  /** Of the last reading. */
  #fault: unknown = null
  #closed = false

  constructor(options: typeof keyDefaults, parts: IssuerKeysParts) {
    this.#options = options
    this.#parts = parts
  }

  /** Null when nothing was ever read, or too long ago. */
  get current(): IssuerState | null {
    const state = this.#state
    if (state === null) return null
    return this.#parts.clock.monotonic() - state.readAt < this.#options.maxStaleMs ? state : null
  }

  /** Reads for the first time. An issuer that is down does not reject: it is asked again. One that is another does, with a BootError. */
  async start(): Promise<void> {
    await this.refresh()
    if (this.#fault instanceof BootError) throw this.#fault
  }
  /** What is there; without anything, what is just being read. */
  async get(): Promise<IssuerState | null> {
    if (this.current === null && this.#running !== null) await this.#running
    return this.current
  }

  /** For a token whose key is not known: reads anew, unless that was done just now. Null: the issuer cannot say. */
  async renew(): Promise<IssuerState | null> {
    if (this.#running !== null) await this.#running
    else if (this.#parts.clock.monotonic() - this.#attemptedAt >= this.#options.cooldownMs) await this.refresh()
    return this.#failures === 0 ? this.current : null
  }

  /** One at a time; never rejects. */
  refresh(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#timer?.cancel()
    this.#running ??= this.#read().finally(() => {
      this.#running = null
      this.#schedule()
    })
    return this.#running
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  async #read(): Promise<void> {
    const { read, clock, log, onChange } = this.#parts
    const before = this.#state
    this.#attemptedAt = clock.monotonic()
    try {
      const now: IssuerState = { ...(await read()), readAt: clock.monotonic() }
      this.#state = now
      if (this.#failures > 0 || before === null)
        log.info({ keys: now.keys.ids.size }, 'The keys of the issuer were read')
      this.#failures = 0
      this.#fault = null
      const changed =
        before !== null && (before.keys.fingerprint !== now.keys.fingerprint || before.notBeforeMs !== now.notBeforeMs)
      if (changed) onChange(now, before)
    } catch (error) {
      this.#fault = error
      // Once for each outage, not for each attempt.
      if (this.#failures++ === 0 && !this.#closed)
        log.warn({ err: error, serving: this.current !== null }, 'The issuer cannot be read: it is asked again')
    }
  }

  #schedule(): void {
    if (this.#closed) return
    const { maxAgeMs, cooldownMs } = this.#options
    const early = this.#state === null ? firstRetryMs * 2 ** Math.min(this.#failures - 1, 20) : cooldownMs
    const delayMs = this.#failures === 0 ? maxAgeMs : Math.min(early, cooldownMs)
    this.#timer = this.#parts.clock.timer(delayMs, () => void this.refresh())
  }
}
