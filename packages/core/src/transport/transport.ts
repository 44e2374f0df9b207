import type { Finding } from '../base/finding.ts'
import type { Machine } from '../base/machine.ts'
import type { SocketCompression } from './compression.ts'
import type { PreparedHead } from './prepared-head.ts'

/**
 * The port between the network and core. Implementations: uWebSockets.js (`uws`) and a network in memory for tests (`memoryTransport`).
 * Both pass `transportSuite` of `@twinwire/core/testing`, and so must a custom one.
 */
export interface Transport {
  readonly name: string
  /** It implements `shared` of `listen`, so that its app can be in a cluster. Default false. */
  readonly canShare?: boolean
  /**
   * Binds the port, exclusively unless `shared` is true, and serves. Port 0 takes a free one. Rejects with `BootError('unavailable_port')` when
   * another listener has it, and with `BootError('unavailable_transport')` when the native module cannot be loaded. `notes`:
   * warnings for the log, one sentence each. `secure`: clients must use TLS.
   */
  listen(
    options: ListenOptions,
    handlers: TransportHandlers,
  ): Promise<{ readonly port: number; readonly notes?: readonly string[]; readonly secure?: boolean }>
  /** Checks whether it can listen on this machine. Loads what `listen` would load, and binds nothing. */
  doctor?(machine: Machine): readonly Finding[]
  /**
   * Sends one frame to every socket that has subscribed to `topic`, in the order of what `send` sends to each of them, and at the latest
   * at the end of this turn of the event loop. Which sockets that are is decided now. A frame for a socket over its limit is dropped without
   * a report: core subscribes only sockets that are far below it, as `acceptedBytes` shows.
   */
  publish(topic: string, data: Uint8Array, binary: boolean): void
  /**
   * Grows by at least the bytes of every frame that `send`, `publish` (once, not for each subscriber) or the protocol (a pong) gives to a
   * socket. So what a socket has queued has grown by no more than this, and need not be read before every publication.
   */
  readonly acceptedBytes: number
  /**
   * From now on an HTTP answer ends its connection, where it can, and says so: a proxy keeps none that it would use when no process answers any
   * more. New connections are accepted still. For transports on which a connection has several requests.
   */
  endConnections?(): void
  /** Refuses new TCP connections; open ones go on, until an HTTP answer ends them. Idempotent. */
  stopAccepting(): void
  /**
   * Resolves when the system has taken all that was answered and sent: every answer is complete, every ended socket has sent what was
   * queued and its close frame. It waits for a client that does not read, until that client is cut or disconnects.
   */
  flushed(): Promise<void>
  /**
   * Cuts everything that is still open and frees the port. Every open socket receives `closed`, every open exchange its abort.
   * Idempotent.
   */
  close(): Promise<void>
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /**
   * Other processes of the same cluster listen on the same port, and the system distributes connections among them (SO_REUSEPORT). Set only for a
   * transport with `canShare`, and never with port 0. Default false: exclusively.
   */
  readonly shared?: boolean
  /** The path of upgrades, for example `/ws`. An upgrade on another path arrives as a plain request. */
  readonly websocketPath: string
  readonly limits: SocketLimits
  /**
   * Compresses what is sent (permessage-deflate, RFC 7692) to clients that offer it, and accepts what they compress; a frame may then
   * neither be nor become larger than `maxPayloadBytes`. Null for none, which is the default. A transport may ignore it.
   */
  readonly compression?: SocketCompression | null
  /** `upgrade` answers every request before it returns, so nothing has to be prepared for late answers. Default false. */
  readonly upgradesAtOnce?: boolean
}

/** Limits that the transport enforces. `checkListenOptions` checks them. */
export interface SocketLimits {
  /** A larger frame cuts the connection (the client sees 1006). */
  readonly maxPayloadBytes: number
  /** Max unsent bytes of one socket. The frame that crosses the limit is still sent, the next is dropped. */
  readonly maxBackpressureBytes: number
  /** Seconds without a received frame (a pong counts) until the socket is cut: 0 (never), or 8 to 960. */
  readonly idleTimeoutSeconds: number
  /** Ping a silent client early enough for its pong to keep it open, and to keep open what is between (`pingIntervalSeconds`). */
  readonly sendPings: boolean
  /** With `sendPings`: seconds after which a silent client is pinged, at the latest. 1 to 960. See `pingAfterSeconds`. */
  readonly pingIntervalSeconds: number
  /** Minutes until the socket is ended, so that load is balanced again: 0 (never), or 1 to 239. */
  readonly maxLifetimeMinutes: number
}

export interface TransportHandlers {
  /** An upgrade on the WebSocket path. Answer it by `accept` or `reject`, now or later. */
  upgrade(request: UpgradeRequest): void
  /** Any other request. Answer it by `respond` or `stream`, now or later. */
  request(exchange: HttpExchange): void
  /** A handler threw, which is to be logged. The transport ends the exchange or socket. */
  fault(error: unknown): void
}

/**
 * The request line and the headers. All of it stays readable after the callback returned, with two exceptions that keep the fast path
 * free of copies: `address` must be read before the answer, and a request that was answered inside its callback keeps only what was read of
 * it by then (all header fields, when one of them was). Other parts are '' then.
 */
export interface RequestHead {
  /** As sent: `get` is not `GET` (RFC 9110, 9.1). */
  readonly method: string
  /** As sent: not decoded, without the query. */
  readonly path: string
  /** As sent, without the `?`; '' when there is none. */
  readonly query: string
  /** The peer's IP address as text, IPv4 dotted even when it came mapped into IPv6. */
  readonly address: string
  /** True on TLS. */
  readonly secure: boolean
  /**
   * One header by its lower-case name, its bytes read as UTF-8, with U+FFFD for what is none; '' when it was not sent. Repeated ones are joined by ', ' (cookies by '; '); of those that have one
   * value, such as `user-agent`, the first counts.
   */
  header(name: string): string
  /** All headers by lower-case name. */
  headers(): Readonly<Record<string, string>>
  /**
   * Why the request must be refused by its header fields alone (RFC 9112), as a message for the client; null when it is well-formed. Read
   * it before anything else. After the answer to such a request the transport closes the connection, and serves nothing that came
   * after it.
   */
  readonly malformed: string | null
}

interface Abortable {
  /** The client disconnected before the answer was complete. */
  readonly aborted: boolean
  /** Runs once when the client disconnects before the answer is complete; at once if it already has. */
  onAborted(callback: () => void): void
}

export interface UpgradeRequest extends RequestHead, Abortable {
  /** Opens the socket; `listener.opened` runs before this returns. Does nothing once aborted or answered. */
  accept(listener: SocketListener, protocol?: string): void
  /** Answers with plain HTTP. Does nothing once aborted or answered. */
  reject(status: number, headers: HeaderList, body: string): void
}

/** Pairs of name and value, in the order in which they are written; names in lower case. */
export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>

/** Why a body could not be read. */
export type BodyFailure = 'too_large' | 'aborted'

/** A body on its way. No method throws once the client has disconnected. */
export interface BodyReader {
  /** The declared length: 0 without a body, null for a chunked one. */
  readonly length: number | null
  /**
   * Passes on the next piece, perhaps before this returns: bytes that `done` may keep, null at the end, or why there is no more, which
   * further calls get again. One call at a time. A body that is longer than `maxBytes` fails with its first piece if its length is declared,
   * else with the piece that exceeds it.
   */
  read(done: (piece: Uint8Array | null | BodyFailure) => void): void
  /**
   * The rest is not wanted: what is held is dropped, and the client is paused until the answer. A `read` that waits gets `aborted`. `stalled`:
   * the client sends nothing, so that the answer does not wait for a small rest, and closes the connection. Default false.
   */
  cancel(stalled?: boolean): void
  /** Gives a slow client more time: if the transport has a time limit for it, at least 8 s, that begins anew. */
  renew(): void
}

export interface HttpExchange extends RequestHead, Abortable {
  /**
   * Reads the whole body, at most `maxBytes` of it, declared or chunked alike. `done` runs once, perhaps before this returns, with bytes
   * that it may keep or with the failure. Call it once. Until then at most 64 KiB are buffered (and what one receive adds); then the socket
   * is paused, without a time limit and without noticing that the client disconnects. With `keeps` false the bytes need to be valid only
   * until `done` returns, which saves their copy; default true.
   */
  readBody(maxBytes: number, done: (body: Uint8Array | BodyFailure) => void, keeps?: boolean): void
  /**
   * Reads the body in pieces, at most `maxBytes` of it, instead of `readBody`. Call one of them, once. What arrives before it is read is
   * held as by `readBody`, and the client is paused. An answer ends the reading: a `read` that waits gets `aborted`, and the rest of the body is
   * treated as one that was not read.
   */
  openBody(maxBytes: number): BodyReader
  /**
   * Answers: status, headers and body in one write. `content-length` is written by the transport (a HEAD request gets
   * the length and no body). When the body of the request was not read, a rest of up to 64 KiB is awaited and dropped;
   * with more than that the connection is closed after the answer. Does nothing once aborted or answered. A header that
   * would break out of its line is a fault, and the answer is a bare 500.
   */
  respond(status: number, headers: HeaderList, body: string | Uint8Array | null, details?: AnswerDetails): void
  /**
   * As `respond` with `head.toList(value)` and then `headers`, at less cost. A value that is not 1 to 128 characters of visible ASCII is a
   * fault.
   */
  respondPrepared(
    status: number,
    head: PreparedHead,
    value: string,
    headers: HeaderList,
    body: string | Uint8Array | null,
  ): void
  /**
   * Answers in chunks; the headers are sent with the first of them. A HEAD request gets the headers and ends at once.
   */
  stream(status: number, headers: HeaderList, details?: AnswerDetails): ResponseStream
}

/** What few answers say beside status and headers. */
export interface AnswerDetails {
  /** The reason phrase, each character a byte; '' for the usual one. */
  readonly statusText: string
  /** Of an answer to HEAD: the `content-length` that GET would have; null for none. Of any other it has no effect. */
  readonly length: number | null
  /**
   * Of a stream: how many bytes will be written, at least 1. It is sent with that `content-length` and not in chunks, unless a part of the body
   * of the request is still to come. An end before the last byte cuts the connection; more bytes are a fault, and cut it too. Default: not known.
   */
  readonly size?: number
}

export interface ResponseStream {
  /** False once it has ended or its client has disconnected; always for an answer without a body (HEAD, 204, 304). */
  readonly open: boolean
  /** Bytes that were written and that the system has not taken yet, as far as the transport knows. 0: nothing waits. */
  readonly bufferedBytes: number
  /**
   * Resolves when more may be written: to true at once, or when a slow client has taken what was buffered; to false when the client has
   * disconnected. Where nothing waits, all writes may return one promise that has resolved. An answer without a body takes nothing. The bytes must
   * not change before that; then they may.
   */
  write(chunk: string | Uint8Array): Promise<boolean>
  end(): void
  /**
   * Lets go of the exchange, so that it can be freed while the answer stays open: when the client disconnects, `left` is called, and nothing that was given
   * to `onAborted`. Read before what is needed of the request. Without this method `onAborted` remains.
   */
  detach?(listener: { left(): void }): void
  /** Cuts the connection, so that the client sees that the body is not complete. */
  abort(): void
}

/** The result of sending one frame. */
export const SendResult = {
  /** Queued, because the client is slow. It will be sent. */
  queued: 0,
  sent: 1,
  /** Discarded: the back pressure limit was exceeded. The client misses this frame. */
  dropped: 2,
  /** The socket is closed already. */
  closed: 3,
} as const

export type SendResult = (typeof SendResult)[keyof typeof SendResult]

/** One open WebSocket, as core uses it. No method throws once it is closed. */
export interface Socket {
  /**
   * Sends one frame: text when `binary` is false (bytes must then be UTF-8). A failure is a result, never an exception.
   */
  send(data: string | Uint8Array, binary: boolean): SendResult
  /** Runs `write` at once, also on a closed socket, and sends its frames in one system call. */
  cork(write: () => void): void
  /** From now on it receives what is published to `topic`. */
  subscribe(topic: string): void
  /** It still receives what was published before. A socket that closes leaves all topics. */
  unsubscribe(topic: string): void
  /**
   * Bytes that were accepted and that the system has not taken yet; after `end` too. Publications of this turn of the event loop count, even
   * those to other topics, and perhaps twice. Up to 16 KiB that were sent within the callback that runs now may be missing.
   */
  bufferedBytes(): number
  /**
   * Ends with a close frame after what is queued. `closed` runs before this returns, and nothing can be sent after it; `close` still cuts a
   * client that does not read the queue. `reason`: at most 123 bytes, a longer one is shortened.
   */
  end(code: number, reason: string): void
  /** Cuts the connection now. `closed` runs before this returns. */
  close(): void
}

/** Receives the events of one socket. */
export interface SocketListener {
  opened(socket: Socket): void
  /** `data` is detached when this returns: decode or copy it. Text was checked to be UTF-8. */
  message(data: ArrayBuffer, binary: boolean): void
  /** Some of what was queued has been sent: a hint, after which bytes may still be queued. Never for a socket that has queued nothing. */
  drained?(): void
  /** Called once, last. 1006 when there was no close frame. */
  closed(code: number, reason: string): void
}
