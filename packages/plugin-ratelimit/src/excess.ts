import { type Call, disconnects, type Hub } from '@twinwire/core'

/** Closes connections that go on sending while they are refused. */
export class Excess {
  readonly #hub: Hub
  /** Null: none is closed. */
  readonly #closeAfter: number | null
  /** Refused packages in a row, of connections that have some. */
  readonly #inARow = new Map<string, number>()

  constructor(hub: Hub, closeAfter: number | null) {
    this.#hub = hub
    this.#closeAfter = closeAfter
  }

  /** A package was answered with something else than a refusal. */
  allowed({ connection }: Call): void {
    if (this.#inARow.size > 0 && connection !== null) this.#inARow.delete(connection.id)
  }

  /** Called when the caller has been told. */
  refused({ connection }: Call): void {
    if (this.#closeAfter === null || connection === null) return
    const open = this.#hub.get(connection.id)
    if (open === undefined) return
    const count = (this.#inARow.get(connection.id) ?? 0) + 1
    this.#inARow.set(connection.id, count)
    if (count >= this.#closeAfter) open.close(disconnects.messageRateLimit)
  }

  closed(connectionId: string): void {
    this.#inARow.delete(connectionId)
  }
}
