import type { OpenSocket } from './uws-connection.ts'
import type { UwsPublications } from './uws-publications.ts'

/** Captured when the module loads, so that fake timers of a test do not stop it. */
const { setInterval, clearInterval } = globalThis

/**
 * Pings every socket once in an interval, where uWS would ping too late or never (uws-rules.md#socket-options). One timer for all; the second within
 * the interval is the one in which the socket was opened, so that they are spread.
 */
export class UwsPings {
  readonly #publications: UwsPublications
  readonly #bySecond: readonly Set<OpenSocket>[]
  readonly #groups = new Map<OpenSocket, Set<OpenSocket>>()
  #second = 0
  #timer: NodeJS.Timeout | null = null

  constructor(intervalSeconds: number, publications: UwsPublications) {
    this.#publications = publications
    this.#bySecond = Array.from({ length: intervalSeconds }, () => new Set<OpenSocket>())
  }

  add(ws: OpenSocket): void {
    const group = this.#bySecond[this.#second]
    if (group === undefined) return
    group.add(ws)
    this.#groups.set(ws, group)
    this.#timer ??= setInterval(() => this.#tick(), 1000).unref()
  }

  /** It is closed: a native call on it would throw. */
  remove(ws: OpenSocket): void {
    this.#groups.get(ws)?.delete(ws)
    this.#groups.delete(ws)
    if (this.#groups.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  #tick(): void {
    this.#second = (this.#second + 1) % this.#bySecond.length
    for (const ws of this.#bySecond[this.#second] ?? []) {
      this.#publications.count(0)
      ws.ping()
    }
  }
}
