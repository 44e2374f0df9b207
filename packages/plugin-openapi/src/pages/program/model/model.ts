import type { Fields } from './json.ts'
import type { Schema } from './schema.ts'

/** What an app offers, of both its documents. */
export interface Model {
  readonly title: string
  readonly version: string
  readonly description: string
  /** Path of the WebSocket; null for an app without one. */
  readonly address: string | null
  readonly operations: readonly Operation[]
  readonly events: readonly EventInfo[]
  readonly topics: readonly TopicInfo[]
  readonly frames: readonly FrameInfo[]
  readonly closes: readonly CloseInfo[]
  readonly limits: Fields
  readonly errors: readonly ErrorInfo[]
  /** Is a token sent in the first frame? */
  readonly hasAuth: boolean
}

/** A route: a package, an HTTP request, or both. */
export interface Operation {
  readonly name: string
  readonly summary: string
  readonly deprecated: boolean
  /** Null: over HTTP only. */
  readonly pkgId: number | null
  /** `GET /authors/:id`; null: over WebSocket only. */
  readonly http: string | null
  readonly access: string
  readonly demands: Demands
  readonly steps: readonly string[]
  readonly reply: 'any' | 'page' | 'stream' | 'value'
  readonly deadlineMs: number | null
  readonly ordered: boolean
  /** A repeated call has one effect. */
  readonly once: boolean
  readonly rateLimits: readonly string[]
  readonly notes: readonly string[]
  readonly ws: WireSide | null
  readonly overHttp: HttpSide | null
  readonly errors: readonly ErrorInfo[]
}

/** What one wire takes and answers. Null: nothing, or it is not described. */
export interface WireSide {
  readonly input: Schema | null
  readonly output: Schema | null
}

export interface HttpSide extends WireSide {
  /** Query keys of a method with a body. */
  readonly query: readonly string[]
  /** Why a form cannot send it. */
  readonly unsent: string | null
  /** The content type of the body; null for none. */
  readonly contentType: string | null
}

/** What a caller needs. */
export interface Demands {
  /** All of them. */
  readonly roles: readonly string[]
  /** One of each. */
  readonly anyRole: ReadonlyArray<readonly string[]>
  readonly scopes: readonly string[]
}

export interface EventInfo {
  readonly name: string
  readonly summary: string
  readonly pkgId: number
  readonly data: Schema | null
  /** The event is a question, with this as its answer. */
  readonly answer: Schema | null
}

export interface TopicInfo {
  readonly pattern: string
  readonly subscribe: boolean
  readonly presence: boolean
  readonly resume: boolean
  readonly history: string
  readonly slow: string
  readonly demands: Demands
  readonly steps: readonly string[]
}

export interface FrameInfo {
  readonly name: string
  readonly direction: 'to the app' | 'from the app'
  readonly summary: string
  readonly payload: Schema
  readonly replies: readonly FramePart[]
}

export interface FramePart {
  readonly name: string
  readonly payload: Schema
}

export interface CloseInfo {
  readonly code: number
  readonly reason: string
  readonly reconnect: string
}

export interface ErrorInfo {
  readonly code: string
  readonly status: number
  readonly httpStatus: number
  readonly message: string
  readonly retry: boolean
}

/** The names of `status_code`. */
export const statusNames: readonly string[] = ['OK', 'ERROR', 'INVALID_DATA', 'PERMISSION_DENIED']

export interface Missing {
  readonly roles: readonly string[]
  readonly oneOf: ReadonlyArray<readonly string[]>
}

/** What a caller with these roles lacks; null if it is nothing. Scopes are not compared. */
export function missingOf({ roles, anyRole }: Demands, held: readonly string[]): Missing | null {
  const missing = roles.filter((role) => !held.includes(role))
  const oneOf = anyRole.filter((group) => !group.some((role) => held.includes(role)))
  return missing.length + oneOf.length === 0 ? null : { roles: missing, oneOf }
}

/** `get-authors`, or `one of a, b`. */
export function sayDemands({ roles, anyRole, scopes }: Demands): string {
  return [
    ...roles,
    ...anyRole.map((group) => `one of ${group.join(', ')}`),
    ...scopes.map((scope) => `scope ${scope}`),
  ].join(' and ')
}
