import type { AppError } from '../errors/app-error.ts'

/** The `req_id` of an event, and of the answer to a frame without a readable one. */
export const zeroUuid = '00000000-0000-0000-0000-000000000000'

/** The `pkg_id` of the answer to a frame without a readable one. */
export const unknownPkgId = 0

/** The form of a `req_id`: any UUID, in upper or lower case. */
export const uuidPattern: RegExp = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** PkgIDs are positive int32. */
export const maxPkgId: number = 2 ** 31 - 1

/** A package of a client: `{pkg_id, req_id, method, data, traceparent}`. */
export interface RequestFrame {
  readonly kind: 'request'
  /** 1 to 2^31 - 1. */
  readonly pkgId: number
  /** A UUID, as the client wrote it. */
  readonly reqId: string
  /** '' when it was left out. Not used; clients of the reference system send it. */
  readonly method: string
  /** Empty when it was left out or null. Checked for unsafe content (`findUnsafe`), not yet against a schema. */
  readonly data: Readonly<Record<string, unknown>>
  /** As the client wrote it, not checked. Left out when the package has none, or one that is not a string. */
  readonly traceparent?: string
}

/** A frame `{"type": …}`: for the connection, not for a route. */
export interface ControlFrame {
  readonly kind: 'control'
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Types of control frames that core handles itself. */
export const coreFrameTypes = ['subscribe', 'unsubscribe', 'presence', 'cancel', 'answer', 'ping'] as const
export type CoreFrameType = (typeof coreFrameTypes)[number]

/** A frame that cannot be served. The answer has what could be read of its envelope. */
export interface RefusedFrame {
  readonly kind: 'refused'
  readonly pkgId: number
  readonly reqId: string
  /** `malformed_request`, which counts towards `maxMalformedFrames`, or `validation_error`, which does not. */
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

/** Of a streamed reply: more packages of the same `req_id` follow. */
export interface MoreMeta {
  readonly more: true
}

/** `meta` of a reply package. */
export type ReplyMeta = PageMeta | MoreMeta | null

/** `meta` of an event, for a connection that has sent `subscribe`. */
export interface EventMeta {
  /** The topic, `@me` or `@all`. */
  readonly topic: string
  /** With `offset` its place in the stream. Both are left out for a stream without history. */
  readonly epoch?: string
  readonly offset?: number
  /** `req_id` of the call that published it; null outside of a call. */
  readonly cause: string | null
}
