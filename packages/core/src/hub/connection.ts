import type { CallConnection } from '../call/call.ts'
import type { DisconnectRow } from '../errors/disconnect.ts'

/** One open WebSocket, as plugins see it. */
export interface Connection extends CallConnection {
  /** Of the upgrade, lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the upgrade. */
  readonly query: Readonly<Record<string, string | readonly string[]>>
  /** Epoch milliseconds. */
  readonly connectedAt: number
  /** A larger message is refused with `payload_too_large`. */
  readonly maxMessageBytes: number
  /** True between the handshake's success and the close. */
  readonly admitted: boolean
  /** Calls that have not been answered yet. */
  readonly inFlight: number
  /** Bytes sent and not yet taken by the system. */
  readonly bufferedBytes: number
  /** Topics it is in now. */
  readonly topics: readonly string[]
  /** Sends `{"type": …}` as JSON text. */
  sendControl(frame: { readonly type: string; readonly [key: string]: unknown }): void
  /** Ends it with a close frame; `disconnects.normal` when left out. */
  close(row?: Pick<DisconnectRow, 'code' | 'reason'>): void
}
