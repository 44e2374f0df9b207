const firstPauseMs = 25
const longestPauseMs = 5000
/** More than that are not refused one by one: the broker is away. */
const maxStreams = 1000

interface Refusal {
  readonly pauseMs: number
  /** On the monotonic clock. */
  readonly until: number
}

/** Streams of which the broker did not take a publication, each with a pause of its own: they hold back no other stream. */
export class RefusedStreams {
  readonly #refusals = new Map<string, Refusal>()

  get size(): number {
    return this.#refusals.size
  }

  refused(stream: string, now: number): void {
    const before = this.#refusals.get(stream)
    const pauseMs = before === undefined ? firstPauseMs : Math.min(before.pauseMs * 2, longestPauseMs)
    this.#refusals.delete(stream)
    this.#refusals.set(stream, { pauseMs, until: now + pauseMs })
    if (this.#refusals.size <= maxStreams) return
    for (const oldest of this.#refusals.keys()) {
      this.#refusals.delete(oldest)
      return
    }
  }

  has(stream: string): boolean {
    return this.#refusals.has(stream)
  }

  taken(stream: string): void {
    this.#refusals.delete(stream)
  }

  /** Those whose pause has not ended. */
  paused(now: number): readonly string[] {
    return [...this.#refusals].filter(([, { until }]) => until > now).map(([stream]) => stream)
  }

  /** Until the first pause ends, at most `longest`. */
  nextMs(now: number, longest: number): number {
    let next = longest
    for (const { until } of this.#refusals.values()) next = Math.min(next, Math.max(1, until - now))
    return next
  }
}
