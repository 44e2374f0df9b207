import type { RSPCode } from '../errors/status.ts'
import type { Frame, ReplyMeta } from './frame.ts'

/** Bytes to frames and back. A client chooses one by `?format=` at the upgrade. None of its methods throws for what a client sent. */
export interface Codec {
  /** The value of `?format=`, which clients may write in any case. */
  readonly name: string
  /** Are the frames it writes binary? */
  readonly binary: boolean
  /** `data` is dead when this returns. */
  decode(data: ArrayBuffer, binary: boolean): Frame
  /** Throws for a value that has no form on the wire. */
  encodeReply(pkgId: number, reqId: string, status: RSPCode, meta: ReplyMeta, data: unknown): string | Uint8Array
  /** Throws for a value that has no form on the wire. */
  encodeEvent(pkgId: number, data: unknown): string | Uint8Array
}
