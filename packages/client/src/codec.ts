import { toJson } from './json.ts'

/** A reply or an event. */
export interface ServerPackage {
  readonly pkg_id: number
  readonly req_id: string
  /** Left out: an event. */
  readonly status_code?: number
  readonly data: unknown
  readonly meta: Readonly<Record<string, unknown>> | null
}

/** Encodes and decodes packages. Control frames are JSON text with every codec. */
export interface ClientCodec {
  /** The value of `?format=`; null for that of the server's default codec. */
  readonly format: string | null
  /**
   * @param traceparent - Of the call; undefined for none.
   * @throws for an input without a form in this codec
   */
  encode(pkgId: number, reqId: string, data: unknown, traceparent?: string): string | Uint8Array<ArrayBuffer>
  /**
   * Reads a binary frame.
   *
   * @param isReply - Does the client wait for a reply with this PkgID and `req_id`? Otherwise it is an event.
   * @throws for a malformed frame
   */
  decode(frame: Uint8Array, isReply: (pkgId: number, reqId: string) => boolean): ServerPackage
}

/** Packages as JSON text. */
export const jsonCodec: ClientCodec = {
  format: null,
  // JSON leaves out a key whose value is undefined.
  encode: (pkg_id, req_id, data, traceparent) => toJson({ pkg_id, req_id, data, traceparent }),
  decode: () => {
    throw new TypeError('Malformed frame')
  },
}
