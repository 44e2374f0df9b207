import type { RSPCode } from '../errors/status.ts'
import type { EventMeta, Frame, ReplyMeta } from './frame.ts'

/**
 * Decodes frames of clients and encodes replies and events. A client chooses a codec by `?format=` at the upgrade. `decode` never throws: it
 * returns a refused frame. A custom codec must pass `codecSuite` of `@twinwire/core/testing`.
 */
export interface Codec {
  /** The value of `?format=`, which clients may write in any case. */
  readonly name: string
  /** Are replies and events sent in binary frames? */
  readonly binary: boolean
  /** `data` is detached when this returns. `binary`: the client sent a binary frame. */
  decode(data: ArrayBuffer, binary: boolean): Frame
  /** @throws for a value that the format cannot encode */
  encodeReply(pkgId: number, reqId: string, status: RSPCode, meta: ReplyMeta, data: unknown): string | Uint8Array
  /**
   * @param meta - Null for connections that have not sent `subscribe`.
   * @param reqId - The zero UUID, unless the event asks for an answer.
   * @throws for a value that the format cannot encode
   */
  encodeEvent(pkgId: number, data: unknown, meta: EventMeta | null, reqId: string): string | Uint8Array
}
