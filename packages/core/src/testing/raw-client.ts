import type { RawConnect, RawRequest, RawResponse, RawStreamedResponse } from './raw-types.ts'

/**
 * A client that knows WebSocket and HTTP and nothing of packages. One interface for both transports, so that one suite runs on
 * both: `memoryRawClient` and `networkRawClient` create it.
 */
export interface RawClient extends RawHttp {
  /**
   * Opens a socket, on the client's default path when none is given. Rejects with `UpgradeRefused` (status, headers, body) when
   * the server answers with HTTP.
   */
  connect(options?: Partial<RawConnect>): Promise<RawSocket>
  /** Cuts every socket that is still open. */
  close(): Promise<void>
}

/** The HTTP half. */
export interface RawHttp {
  /** Sends a request and reads the whole answer. Every request has a connection of its own. */
  request(options: RawRequest): Promise<RawResponse>
  /** Sends a request; the answer's body is read at the caller's pace, and leaving the loop cuts the connection. */
  stream(options: RawRequest): Promise<RawStreamedResponse>
}

/** One received frame: text as a string, binary as bytes of its own. */
export interface RawFrame {
  readonly data: string | Uint8Array
  readonly binary: boolean
}

/** How a connection ended: 1005 when the close frame had no code, 1006 when there was none. */
export interface RawClosure {
  readonly code: number
  readonly reason: string
}

/** One open WebSocket. */
export interface RawSocket {
  /** The sub-protocol that the server chose; '' for none. */
  readonly protocol: string
  /** Received and not yet taken by `next`. */
  readonly frames: readonly RawFrame[]
  /** Resolves when the connection has ended, however it did. */
  readonly closed: Promise<RawClosure>
  /** Text, or a binary frame for bytes; `binary: false` sends bytes as text, valid or not. Does nothing once closing. */
  send(data: string | Uint8Array, binary?: boolean): void
  /**
   * The next frame, in order. Rejects when the connection has ended and every frame was taken (the code is in the message), and
   * when none comes within `timeoutMs` (5000).
   */
  next(timeoutMs?: number): Promise<RawFrame>
  /** Sends a close frame; `closed` resolves when the server has answered it. */
  close(code?: number, reason?: string): void
  /** Cuts the connection without a close frame. */
  terminate(): void
  /** Stops reading, so that the server runs into back pressure. Nothing is heard, not even the end, until `resume`. */
  pause(): void
  resume(): void
}
