import { BootError, type Clock, type Logger } from '@twinwire/core'
import { type OptionRule, type OptionsOf, option, type Timer } from '@twinwire/core/plugin'
import type { Published } from './issuer-documents.ts'

export interface KeyOptions {
  /** How long one request to the issuer may take. Default 5000. */
  readonly timeoutMs?: number | undefined
  /** Minimum time between two requests that tokens with unknown keys cause, and between attempts after a failure. Default 30000. */
  readonly cooldownMs?: number | undefined
  /** How often keys and `not-before` are read again. Default 600000. */
  readonly maxAgeMs?: number | undefined
  /** How long the last keys are used while the issuer cannot be reached. Default 3600000. */
  readonly maxStaleMs?: number | undefined
  /** Maximum size of a document of the issuer. Default 524288. */
  readonly maxBytes?: number | undefined
}

export const keyRules: { readonly [Key in keyof KeyOptions]-?: OptionRule<number> } = {
  timeoutMs: option.duration({ min: 1, default: 5000 }),
  cooldownMs: option.duration({ min: 1, default: 30_000 }),
  maxAgeMs: option.duration({ min: 1, default: 600_000 }),
  maxStaleMs: option.duration({ min: 1, max: 366 * 86_400_000, default: 3_600_000 }),
  maxBytes: option.bytes({ min: 1024, max: 64 * 1024 * 1024, default: 512 * 1024 }),
}

export type ResolvedKeyOptions = OptionsOf<typeof keyRules>

export interface IssuerState extends Published {
  /** By the monotonic clock. */
  readonly readAt: number
}

interface IssuerKeysParts {
  readonly read: () => Promise<Published>
  readonly clock: Clock
  readonly log: Logger
  /** Called when what the issuer publishes has changed. */
  readonly onChange: (now: IssuerState, before: IssuerState) => void
}

/** First delay after a failure while no keys have been read yet; each further one is twice as long, up to the cooldown. */
const firstRetryMs = 1000

/**
 * What the issuer publishes, as it was last read. A timer reads it again, so that no call waits for it; a token with an unknown key does
 * too. While the issuer is down the last keys are used, for a limited time.
 */
export class IssuerKeys {
  readonly #options: ResolvedKeyOptions
  readonly #parts: IssuerKeysParts
  #state: IssuerState | null = null
  #running: Promise<void> | null = null
  #timer: Timer | null = null
  #attemptedAt = Number.NEGATIVE_INFINITY
  #failures = 0
  /** Of the last attempt. */
  #error: unknown = null
  #closed = false

  constructor(options: ResolvedKeyOptions, parts: IssuerKeysParts) {
    this.#options = options
    this.#parts = parts
  }

  /** Null when nothing was read yet, or too long ago. */
  get current(): IssuerState | null {
    const state = this.#state
    if (state === null) return null
    return this.#parts.clock.monotonic() - state.readAt < this.#options.maxStaleMs ? state : null
  }

  /** Reads for the first time. An issuer that is down does not reject: it is tried again. Rejects with a BootError for another issuer than configured. */
  async start(): Promise<void> {
    await this.refresh()
    if (this.#error instanceof BootError) throw this.#error
  }

  /** The current state; without one, that of the attempt that is running. */
  async get(): Promise<IssuerState | null> {
    if (this.current === null && this.#running !== null) await this.#running
    return this.current
  }

  /** For a token with an unknown key: reads again, unless the cooldown has not passed. Null: the issuer cannot be reached. */
  async renew(): Promise<IssuerState | null> {
    if (this.#running !== null) await this.#running
    else if (this.#parts.clock.monotonic() - this.#attemptedAt >= this.#options.cooldownMs) await this.refresh()
    return this.#failures === 0 ? this.current : null
  }

  /** Reads, one attempt at a time; never rejects. */
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
      if (this.#failures > 0 || before === null) log.info({ keys: now.keys.ids.size }, 'Issuer keys were read')
      this.#failures = 0
      this.#error = null
      const changed =
        before !== null && (before.keys.fingerprint !== now.keys.fingerprint || before.notBeforeMs !== now.notBeforeMs)
      if (changed) onChange(now, before)
    } catch (error) {
      this.#error = error
      // Once for each outage, not for each attempt.
      if (this.#failures++ === 0 && !this.#closed)
        log.warn({ err: error, serving: this.current !== null }, 'Issuer keys cannot be read: retrying')
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
