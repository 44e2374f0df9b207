import type { Finding } from '../base/finding.ts'
import type { Machine } from '../base/machine.ts'

/**
 * The port between the network and core. Two implementations keep one contract: `uws-server.ts` and
 * `memory-transport.ts`. Nothing outside this room knows uWebSockets.js, and nothing in it knows a route.
 */
export interface Transport {
  readonly name: string
  /**
   * Binds the port, exclusively, and serves. Port 0 takes a free one. Rejects with `BootError('port_taken')` when
   * another listener has it, and with `BootError('uws_unavailable')` when the native module cannot be loaded. `notes`:
   * what whoever runs the server should read in the log, one sentence each. `secure`: clients have to speak TLS.
   */
  listen(
    options: ListenOptions,
    handlers: TransportHandlers,
  ): Promise<{ readonly port: number; readonly notes?: readonly string[]; readonly secure?: boolean }>
  /** What may keep it from listening on this machine. Loads what `listen` would load, and binds nothing. */
  doctor?(machine: Machine): readonly Finding[]
  /** Refuses new TCP connections from now on; open ones go on. Idempotent. */
  stopAccepting(): void
  /**
   * Resolves when the system has taken all that was answered and sent: every answer is whole, every ended socket has sent what
   * was queued and its close frame. What a client does not read keeps it waiting, until that client is cut or leaves.
   */
  flushed(): Promise<void>
  /**
   * Cuts whatever is still open and frees the port. Every open socket sees `closed`, every open exchange its abort.
   * Idempotent.
   */
  close(): Promise<void>
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** Where sockets are upgraded, for example `/ws`. An upgrade anywhere else arrives as a plain request. */
  readonly websocketPath: string
  readonly limits: SocketLimits
}

/** What the native layer enforces by itself, checked by `checkSocketLimits` before it sees them. */
export interface SocketLimits {
  /** A larger frame cuts the connection (the client sees 1006). */
  readonly maxPayloadBytes: number
  /** Unsent bytes that one socket may have; the frame that crosses it still goes, the next is dropped. */
  readonly maxBackpressureBytes: number
  /** 0 (never), or 8 to 960: seconds without a received frame (a pong counts) until the socket is cut. */
  readonly idleTimeoutSeconds: number
  /** Pings a silent client in time for its pong to keep it open. */
  readonly sendPings: boolean
  /** 0 (never), or 1 to 239: minutes until the socket is ended, so that load spreads again. */
  readonly maxLifetimeMinutes: number
}

export interface TransportHandlers {
  /** An upgrade on the WebSocket path. To be answered by `accept` or `reject`, now or later. */
  upgrade(request: UpgradeRequest): void
  /** Any other request. To be answered by `respond` or `stream`, now or later. */
  request(exchange: HttpExchange): void
  /** A handler above threw: a fault of ours, to be logged. The exchange or socket is ended by the transport. */
  fault(error: unknown): void
}

/**
 * What was asked. Everything stays readable after the callback returned, with two exceptions that keep the fast path
 * free of copies: `address` must be asked for before the client or the answer has gone, and a request that was answered
 * inside its callback keeps only what was read of it by then (all header fields, when one of them was). What is not known any
 * more is ''.
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
   * One header by its lower-case name; '' when it is not there. Repeated ones are joined by ', ' (cookies by '; '); of
   * those that have one value, such as `user-agent`, the first counts.
   */
  header(name: string): string
  /** All headers by lower-case name. */
  headers(): Readonly<Record<string, string>>
  /**
   * Why the request must be refused by its header fields alone (RFC 9112), as a sentence for the client; null when it may go on.
   * To be asked before anything else. After the answer to such a request the transport closes the connection, and serves
   * nothing that came behind it.
   */
  readonly malformed: string | null
}

interface Abortable {
  /** The client went away before the answer was complete. */
  readonly aborted: boolean
  /** Runs once when the client goes away before the answer is complete; at once if it already has. */
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

/** Why a body could not be had. */
export type BodyFailure = 'too_large' | 'aborted'

export interface HttpExchange extends RequestHead, Abortable {
  /**
   * Reads the whole body, at most `maxBytes` of it, declared or chunked alike; `done` runs once, perhaps before this
   * returns, with bytes that are its own to keep or with what went wrong. To be called once. Until then at most 64 KiB
   * are buffered (and what one receive adds); then the socket is paused, without a time limit of its own and without
   * noticing that the client leaves.
   */
  readBody(maxBytes: number, done: (body: Uint8Array | BodyFailure) => void): void
  /**
   * Answers: status, headers and body in one write. `content-length` is written by the transport (a HEAD request gets
   * the length and no body). Before the request's body was read, a rest of up to 64 KiB is awaited and dropped, and
   * past that the connection is closed after the answer. Does nothing once aborted or answered. A header that would
   * break out of its line is a fault, and the answer a bare 500.
   */
  respond(status: number, headers: HeaderList, body: string | Uint8Array | null): void
  /**
   * Answers in pieces (chunked); the headers arrive with the first of them. A HEAD request gets the headers and ends at
   * once.
   */
  stream(status: number, headers: HeaderList): ResponseStream
}

export interface ResponseStream {
  /** False once it has ended or its client is gone; from the start where no body is wanted (HEAD, 204, 304). */
  readonly open: boolean
  /**
   * Resolves when more may be written: at once, or when a slow client has taken what was buffered; false when the
   * client is gone.
   */
  write(chunk: string | Uint8Array): Promise<boolean>
  end(): void
  /** Cuts the connection, so that the client sees that the body is not whole. */
  abort(): void
}

/** What became of one frame. */
export const SendResult = {
  /** Queued behind back pressure; it will be sent. */
  queued: 0,
  sent: 1,
  /** Discarded: the back pressure limit had been passed. The client has a gap. */
  dropped: 2,
  /** The socket is closed already. */
  closed: 3,
} as const

export type SendResult = (typeof SendResult)[keyof typeof SendResult]

/** One open WebSocket, as core drives it. No method throws once it is closed. */
export interface Socket {
  /**
   * Text when `binary` is false (bytes must then be UTF-8). A failed frame is told by the result and not by `dropped`.
   */
  send(data: string | Uint8Array, binary: boolean): SendResult
  /** Packs what `write` sends into one system call. `write` runs now, also on a closed socket. */
  cork(write: () => void): void
  /** Bytes accepted by `send` and not yet taken by the system. */
  bufferedBytes(): number
  /**
   * Ends with a close frame after what is queued. `closed` runs before this returns, and nothing can be sent any more;
   * `close` still cuts a client that does not take the queue. `reason`: at most 123 bytes.
   */
  end(code: number, reason: string): void
  /** Cuts the connection now. `closed` runs before this returns. */
  close(): void
}

/** What core is told about one socket. */
export interface SocketListener {
  opened(socket: Socket): void
  /** `data` is dead when this returns: decode or copy it. Text was checked to be UTF-8. */
  message(data: ArrayBuffer, binary: boolean): void
  /** Once, last. 1006 when no close frame was seen. */
  closed(code: number, reason: string): void
}
