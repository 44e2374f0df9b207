import type { Identity } from '../call/identity.ts'
import type { Position } from './broker.ts'
import type { HubConnection } from './connection.ts'

/** Where a connection that has subscribed goes on. */
export interface Subscribed {
  /** It gets what comes after. Null for a stream without history. */
  readonly position: Position | null
  /** Everything between the position that it named and `position` was sent. */
  readonly recovered: boolean
}

/** A connection on its way into a stream: the broker is asked to send the stream, or for the past. */
export class Entrant {
  readonly connection: HubConnection
  /** The last position that it knows; null to begin with what comes. */
  readonly since: Position | null
  /** Null for one that joins without an answer. */
  readonly answer: ((result: Subscribed) => void) | null
  /** Its rule was asked about it. */
  readonly identity: Identity | null
  /** Settles with the entrance. */
  done: Promise<void> = Promise.resolve()
  /** The past is being read: index in `NodeStream.delivered` from which on it has to be sent. Null otherwise. */
  readFrom: number | null = null
  /** It has entered, or will not. */
  isSettled = false
  hasLeft = false

  constructor(connection: HubConnection, since: Position | null, answer: ((result: Subscribed) => void) | null) {
    this.connection = connection
    this.identity = connection.identity
    this.since = since
    this.answer = answer
  }
}
