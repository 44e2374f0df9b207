import type { AppError } from '../errors/app-error.ts'

/** `req_id` of an event, and of an answer to a frame whose own could not be read. */
export const zeroUuid = '00000000-0000-0000-0000-000000000000'

/** `pkg_id` of an answer to a frame whose own could not be read. */
export const unknownPkgId = 0

/** What a `req_id` looks like: any UUID, in letters of either case. */
export const uuidPattern: RegExp = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** PkgIDs are positive int32. */
export const maxPkgId: number = 2 ** 31 - 1

/** A package of a client: `{pkg_id, req_id, method, data}`. */
export interface RequestFrame {
  readonly kind: 'request'
  /** 1 to 2^31 - 1. */
  readonly pkgId: number
  /** A UUID, as the client wrote it. */
  readonly reqId: string
  /** '' when it was left out. Read by nobody but carried for clients of the reference system. */
  readonly method: string
  /** An object; empty when it was left out or null. Checked for unsafe content, not yet against a schema. */
  readonly data: Readonly<Record<string, unknown>>
}

/** A text frame `{"type": …}`: it speaks to the connection and not to a route. */
export interface ControlFrame {
  readonly kind: 'control'
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A frame that cannot be served; what could be read of its envelope goes into the answer. */
export interface RefusedFrame {
  readonly kind: 'refused'
  readonly pkgId: number
  readonly reqId: string
  /** `malformed_request`, which counts towards the close for malformed frames, or `validation_error`, which does not. */
  readonly error: AppError
}

export type Frame = RequestFrame | ControlFrame | RefusedFrame

/** Which page of a list it is. The names are those of the wire. */
export interface PageMeta {
  /** From 1. With a cursor always 1. */
  readonly page: number
  readonly per_page: number
  /** Rows of all pages together; 0 where they were not counted: with a cursor. */
  readonly total: number
  /** Number of pages; 0 where rows were not counted. */
  readonly pages: number
  /** Where the next page starts. Null on the last page, and for pages by number. */
  readonly next_cursor: string | null
  readonly has_more: boolean
}

/** `meta` of a reply package. */
export type ReplyMeta = PageMeta | null
