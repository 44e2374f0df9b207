import type { AppError } from '../errors/app-error.ts'
import { type DisconnectRow, disconnects } from '../errors/disconnect.ts'
import { SendResult, type Socket } from '../transport/transport.ts'
import { ConnectionFacts } from './connection-facts.ts'
import { encodeError } from './error-reply.ts'

/** The sending half of a connection. */
export abstract class ConnectionOutput extends ConnectionFacts {
  /** Null before it is open, and once it is closed. */
  socket: Socket | null = null
  /** Set once the close is decided: nothing is received or sent any more. */
  ending: Pick<DisconnectRow, 'code' | 'reason'> | null = null

  abstract end(row: Pick<DisconnectRow, 'code' | 'reason'>): void
  abstract leaveHub(): void

  get isOpen(): boolean {
    return this.ending === null && this.socket !== null
  }
  get bufferedBytes(): number {
    return this.socket?.bufferedBytes() ?? 0
  }

  /** Closes a connection that is too slow for it. */
  send(data: string | Uint8Array, binary: boolean): void {
    if (!this.deliver(data, binary)) this.end(disconnects.tooSlow)
  }

  deliver(data: string | Uint8Array, binary: boolean): boolean {
    if (this.ending !== null || this.socket === null) return true
    const result = this.socket.send(data, binary)
    if (result === SendResult.dropped) {
      // The client misses a frame now, so it must not receive anything more.
      this.ending = disconnects.tooSlow
      this.leaveHub()
      this.shared.instruments.dropped.inc()
    } else if (result !== SendResult.closed)
      this.shared.instruments.sent(1, typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength)
    return result !== SendResult.dropped
  }

  /** In JSON text, whatever the codec. */
  sendControl(frame: { readonly type: string; readonly [key: string]: unknown }): void {
    this.send(JSON.stringify(frame), false)
  }

  sendError(pkgId: number, reqId: string, error: AppError): void {
    const { errorLink, log } = this.shared.services
    this.send(encodeError(this.codec, pkgId, reqId, error, errorLink, log), this.codec.binary)
  }
}
