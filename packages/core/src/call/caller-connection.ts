import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import type { CallConnection } from './call.ts'
import type { Identity } from './identity.ts'

/** The connection of a call, as that call sees it: what fails here unawaited is logged with the fields of the call. */
export class CallerConnection implements CallConnection {
  readonly #connection: CallConnection
  readonly #call: DropListener

  constructor(connection: CallConnection, call: DropListener) {
    this.#connection = connection
    this.#call = call
  }

  get id(): string {
    return this.#connection.id
  }
  get address(): string {
    return this.#connection.address
  }
  get identity(): Identity | null {
    return this.#connection.identity
  }
  join(topic: string): Promise<void> {
    return dropSafe(this.#connection.join(topic), 'connection.join', this.#call)
  }
  leave(topic: string): void {
    this.#connection.leave(topic)
  }
}
