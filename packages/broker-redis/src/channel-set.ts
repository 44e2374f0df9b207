import type { Clock } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import { RedisError } from '@twinwire/redis'

/** Channels in one command. */
const chunkSize = 500
const retryMs = 500

/** The part of a subscriber that this needs. */
export interface ChannelCommands {
  subscribe(channels: readonly string[]): Promise<void>
  unsubscribe(channels: readonly string[]): Promise<void>
}

interface Wait {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Keeps what is subscribed equal to what is wanted: one command at a time, so that the last request for a channel also happens last. After a loss
 * of the connection all channels are subscribed again, in chunks.
 */
export class ChannelSet {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #commands: ChannelCommands
  /** Called with channels that are subscribed again. */
  readonly #onBack: (channels: readonly string[]) => void
  readonly #wanted = new Set<string>()
  readonly #subscribed = new Set<string>()
  /** Wanted and not subscribed, or the other way round. */
  readonly #open = new Set<string>()
  readonly #waits = new Map<string, Set<Wait>>()
  #isUp = false
  #isBusy = false
  /** Counts connections: the answer of an earlier one says nothing. */
  #connection = 0
  #timer: Timer | null = null

  constructor(
    clock: Clock,
    timeoutMs: number,
    commands: ChannelCommands,
    onBack: (channels: readonly string[]) => void,
  ) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#commands = commands
    this.#onBack = onBack
  }

  /** Resolves when Redis has confirmed it. Rejects when it has not in time; the channel is still wanted. */
  add(channel: string): Promise<void> {
    this.#wanted.add(channel)
    if (this.#subscribed.has(channel) && !this.#open.has(channel)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waits = this.#waits.get(channel) ?? new Set()
      this.#waits.set(channel, waits)
      const timer = this.#clock.timer(this.#timeoutMs, () => {
        waits.delete(wait)
        reject(new RedisError('timeout', `Redis did not confirm a subscription within ${this.#timeoutMs} ms`))
      })
      const wait: Wait = {
        resolve: () => {
          timer.cancel()
          resolve()
        },
        reject: (error) => {
          timer.cancel()
          reject(error)
        },
      }
      waits.add(wait)
      this.#mark(channel)
    })
  }

  remove(channel: string): void {
    if (!this.#wanted.delete(channel)) return
    this.#waits.delete(channel)
    this.#mark(channel)
  }

  /** It is subscribed again, since messages on it do not arrive. */
  renew(channel: string): void {
    if (!this.#wanted.has(channel)) return
    this.#subscribed.delete(channel)
    this.#mark(channel)
  }

  up(): void {
    this.#reset(true)
    this.#pump()
  }

  down(): void {
    this.#reset(false)
  }

  close(): void {
    this.#reset(false)
    this.#wanted.clear()
    this.#open.clear()
    const error = new RedisError('not_connected', 'The broker is closed')
    for (const waits of this.#waits.values()) for (const wait of waits) wait.reject(error)
    this.#waits.clear()
  }

  #reset(isUp: boolean): void {
    this.#isUp = isUp
    this.#connection += 1
    this.#isBusy = false
    this.#timer?.cancel()
    this.#timer = null
    this.#subscribed.clear()
    this.#open.clear()
    for (const channel of this.#wanted) this.#open.add(channel)
  }

  #mark(channel: string): void {
    if (this.#wanted.has(channel) === this.#subscribed.has(channel) && !this.#isBusy) {
      this.#open.delete(channel)
      this.#confirm(channel)
      return
    }
    this.#open.add(channel)
    // Those of one turn of the event loop go together.
    if (!this.#isBusy && this.#isUp && this.#timer === null)
      this.#timer = this.#clock.timer(0, () => {
        this.#timer = null
        this.#pump()
      })
  }

  #pump(): void {
    if (this.#isBusy || !this.#isUp) return
    const [first] = this.#open
    if (first === undefined) return
    const isWanted = this.#wanted.has(first)
    const channels: string[] = []
    for (const channel of this.#open) {
      if (this.#wanted.has(channel) !== isWanted) continue
      channels.push(channel)
      if (channels.length === chunkSize) break
    }
    const connection = this.#connection
    this.#isBusy = true
    const command = isWanted ? this.#commands.subscribe(channels) : this.#commands.unsubscribe(channels)
    command.then(
      () => {
        if (connection === this.#connection) this.#onDone(channels, isWanted)
      },
      (error: unknown) => {
        if (connection === this.#connection) this.#onFailed(channels, error)
      },
    )
  }

  #onDone(channels: readonly string[], isSubscribed: boolean): void {
    this.#isBusy = false
    const back: string[] = []
    for (const channel of channels) {
      if (isSubscribed) this.#subscribed.add(channel)
      else this.#subscribed.delete(channel)
      if (this.#wanted.has(channel) !== isSubscribed) continue
      this.#open.delete(channel)
      if (isSubscribed && !this.#confirm(channel)) back.push(channel)
    }
    this.#pump()
    if (back.length > 0) this.#onBack(back)
  }

  #onFailed(channels: readonly string[], error: unknown): void {
    this.#isBusy = false
    const failure = error instanceof Error ? error : new Error(String(error))
    for (const channel of channels) {
      for (const wait of this.#waits.get(channel) ?? []) wait.reject(failure)
      this.#waits.delete(channel)
    }
    this.#timer = this.#clock.timer(retryMs, () => {
      this.#timer = null
      this.#pump()
    })
  }

  /** False if no caller waits for it. */
  #confirm(channel: string): boolean {
    const waits = this.#waits.get(channel)
    this.#waits.delete(channel)
    if (waits === undefined || waits.size === 0) return false
    for (const wait of waits) wait.resolve()
    return true
  }
}
