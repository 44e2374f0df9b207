/** After something could not be sent; each pause in a row is twice as long. */
export const firstPauseMs = 25
export const longestPauseMs = 5000
/** More than that are not refused one by one: the broker is away. */
const maxStreams = 1000

interface Rejection {
  readonly pauseMs: number
  /** On the monotonic clock. */
  readonly until: number
}

/** Streams of which the broker did not take a publication, each with a pause of its own: they hold back no other stream. */
export class RefusedStreams {
  readonly #rejections = new Map<string, Rejection>()

  get size(): number {
    return this.#rejections.size
  }

  refused(stream: string, now: number): void {
    const before = this.#rejections.get(stream)
    const pauseMs = before === undefined ? firstPauseMs : Math.min(before.pauseMs * 2, longestPauseMs)
    this.#rejections.delete(stream)
    this.#rejections.set(stream, { pauseMs, until: now + pauseMs })
    if (this.#rejections.size <= maxStreams) return
    for (const oldest of this.#rejections.keys()) {
      this.#rejections.delete(oldest)
      return
    }
  }

  has(stream: string): boolean {
    return this.#rejections.has(stream)
  }

  taken(stream: string): void {
    this.#rejections.delete(stream)
  }

  /** Another process has sent what was refused here: of the streams whose pause has ended only `streams` have rows. */
  keepOnly(streams: ReadonlySet<string>, now: number): void {
    for (const [stream, { until }] of this.#rejections)
      if (until <= now && !streams.has(stream)) this.#rejections.delete(stream)
  }

  /** No stream has a row. */
  clear(): void {
    this.#rejections.clear()
  }

  /** Those whose pause has not ended. */
  paused(now: number): readonly string[] {
    return [...this.#rejections].filter(([, { until }]) => until > now).map(([stream]) => stream)
  }

  /** Until the first pause ends, at most `longest`. */
  nextMs(now: number, longest: number): number {
    let next = longest
    for (const { until } of this.#rejections.values()) next = Math.min(next, Math.max(1, until - now))
    return next
  }
}
