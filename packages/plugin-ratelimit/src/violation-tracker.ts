import { type Call, disconnects, type Hub } from '@twinwire/core'

/** Closes connections that keep sending packages while they are over their limit. */
export class ViolationTracker {
  readonly #hub: Hub
  /** Null: connections are never closed. */
  readonly #closeAfter: number | null
  /** Consecutive refused packages, by connection id; no entry for 0. */
  readonly #consecutive = new Map<string, number>()

  constructor(hub: Hub, closeAfter: number | null) {
    this.#hub = hub
    this.#closeAfter = closeAfter
  }

  /** A package was answered, and not with `rate_limit_exceeded`. */
  allowed(call: Call): void {
    // Reading the connection creates an object, for a call that does not read it itself.
    if (this.#consecutive.size > 0 && call.connection !== null) this.#consecutive.delete(call.connection.id)
  }

  /** Call this after the answer was sent: it may close the connection. */
  refused({ connection }: Call): void {
    if (this.#closeAfter === null || connection === null) return
    const open = this.#hub.get(connection.id)
    if (open === undefined) return
    const count = (this.#consecutive.get(connection.id) ?? 0) + 1
    this.#consecutive.set(connection.id, count)
    if (count >= this.#closeAfter) open.close(disconnects.messageRateLimit)
  }

  closed(connectionId: string): void {
    this.#consecutive.delete(connectionId)
  }
}
