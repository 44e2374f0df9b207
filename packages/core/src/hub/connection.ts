import type { MaybePromise } from '../base/maybe-promise.ts'
import type { CallConnection, Wire } from '../call/call.ts'
import type { Identity } from '../call/identity.ts'
import type { DisconnectRow } from '../errors/disconnect.ts'
import type { Codec } from '../protocol/codec.ts'
import type { Socket } from '../transport/transport.ts'

/** One open WebSocket, or one client of server-sent events, as plugins see it. */
export interface Connection extends CallConnection {
  /**
   * `http`: a client of server-sent events, which sends nothing. It receives the topic of its reply only, so `join` and `ask` reject, and leaving its topic
   * ends it.
   */
  readonly wire: Wire
  /** Of the upgrade or request, lower-case names; without those that carried credentials, if a plugin names them. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the upgrade or request. */
  readonly query: Readonly<Record<string, string | readonly string[]>>
  /** Epoch milliseconds. */
  readonly connectedAt: number
  /** Larger messages are refused with `payload_too_large`. 0: it sends none. */
  readonly maxMessageBytes: number
  /** True from the end of the handshake until the connection closes. */
  readonly admitted: boolean
  /** Number of calls that have not been answered yet. */
  readonly inFlight: number
  /** Bytes sent that the client has not received yet. In the turn of the event loop in which events are published it may be too high. */
  readonly bufferedBytes: number
  /** The topics it has joined. */
  readonly topics: readonly string[]
  /** Sends a text frame `{"type": …}` as JSON; to a client of server-sent events an event of that type, with the other fields as its data. */
  sendControl(frame: { readonly type: string; readonly [key: string]: unknown }): void
  /**
   * Closes the connection with a close frame; a client of server-sent events gets an event `close` with `code` and `reason`, and one whose response has
   * not begun an error. Default: `disconnects.normal`.
   */
  close(row?: Pick<DisconnectRow, 'code' | 'reason'>): void
}

/** The part of a Set that the hub needs of it. */
interface Joined {
  has(topic: string): boolean
  add(topic: string): unknown
  delete(topic: string): boolean
}

/** A connection as the hub sees it. */
export interface HubConnection extends Connection {
  readonly codec: Codec
  /** What its id is made of, unique in this process. */
  readonly serial: number
  readonly identity: Identity | null
  /** Of the upgrade; null without a valid one. */
  readonly traceparent: string | null
  /** Null once it is closed, and on HTTP. */
  readonly socket: Socket | null
  /** It has sent `subscribe`, so its events have `meta`: what `hub.isOptedIn` says. */
  readonly isOptedIn: boolean
  /** The topics it has joined. Only the hub changes it. */
  readonly joined: Joined
  /**
   * Sends an encoded event. False: it was dropped, because the client is too slow. The connection has left the hub, and sends and receives
   * nothing more; the caller must call `end`, which runs hooks.
   */
  deliver(data: Uint8Array, binary: boolean): boolean
  /** Asks the rules of its joined topics again, and takes away what they refuse. Never rejects. */
  reauthorize(): MaybePromise<void>
  end(row: Pick<DisconnectRow, 'code' | 'reason'>): void
}
