import type { Identity } from '../call/identity.ts'
import type { Codec } from '../protocol/codec.ts'
import type { Connection } from './connection.ts'

/** A connection as the hub keeps it. */
export interface Member extends Connection {
  readonly codec: Codec
  readonly identity: Identity | null
  /** The hub's own list of what it has joined. */
  readonly joined: Set<string>
  /** Sends an encoded event; a client that is too slow for it leaves the hub at once. */
  deliver(data: string | Uint8Array, binary: boolean): void
}
