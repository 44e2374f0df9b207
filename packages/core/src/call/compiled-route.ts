import type { Result } from '../errors/result.ts'
import type { ActiveCall } from './active-call.ts'
import type { BeforeReply } from './before-reply.ts'
import type { QueryRecord, RouteInfo } from './call.ts'
import type { HttpCounter } from './call-instruments.ts'
import type { CallOutcome } from './call-outcome.ts'
import type { MultipartLimits } from './multipart-file.ts'
import type { StreamedBodyLimits } from './request-body.ts'

/** When a call over HTTP is identified. */
export type IdentityPolicy = 'required' | 'optional' | 'none'

/** A decoded body. */
export type ParsedBody =
  | { readonly kind: 'empty' }
  /** `hadEscapes`: the text had a `\u`, so that a string of it may hold half a surrogate pair. */
  | { readonly kind: 'json'; readonly value: unknown; readonly hadEscapes: boolean }
  | { readonly kind: 'form'; readonly value: QueryRecord }
  /** Of an endpoint with `body: 'raw'`: created by the HTTP wire, never by `parseBody`. */
  | { readonly kind: 'raw'; readonly value: Uint8Array }

/** Merges path, query and body into one input, not yet validated. */
export type InputReader = (
  params: Readonly<Record<string, string>>,
  query: QueryRecord,
  body: ParsedBody,
) => Result<unknown>

/** How the answers of a route are compressed. */
export interface AnswerCompression {
  /** A shorter body is sent as it is. Text is measured in characters. */
  readonly minBytes: number
  /** 0 to 11. */
  readonly brotliQuality: number
  /** 1 to 9. */
  readonly gzipLevel: number
  /** Up to here a body is compressed at once, on the event loop; a longer one in the thread pool. */
  readonly syncBytes: number
}

/** The HTTP side of a route, compiled. */
export interface CompiledHttp {
  readonly input: InputReader
  /** The body is read, and is a part of the input. */
  readonly hasBody: boolean
  /** The body is read and ignored: the route has no input. */
  readonly ignoresBody: boolean
  readonly raw: boolean
  /** Its input is a `Request`: `fromFetch`. */
  readonly isFetch: boolean
  /** Its input is the path below this prefix, decoded: `staticFiles`. Null for other routes. */
  readonly filesPrefix: string | null
  readonly maxBodyBytes: number
  /** The handler reads the body as it arrives, so it is not a part of the input, and `hasBody` is false; null for other routes. */
  readonly streamed: StreamedBodyLimits | null
  /** Of a multipart body, which is a streamed one: its fields are a part of the input. Null for other routes. */
  readonly multipart: MultipartLimits | null
  /** Of a success; null: 200, or 204 when there is no result. */
  readonly status: number | null
  /** Of text, bytes, a stream or a file that it answers with; null: by the kind of the answer. */
  readonly contentType: string | null
  /** Null: its answers are sent as they are. */
  readonly compression: AnswerCompression | null
}

/** A route as the wires run it. What can be decided at boot is decided. */
export interface CompiledRoute {
  readonly info: RouteInfo
  /** Calls of this route on one connection never overlap. */
  readonly ordered: boolean
  /** The reply is sent item by item: a client may cancel it. */
  readonly streams: boolean
  /** Null for a route that is on WebSocket only. */
  readonly http: CompiledHttp | null
  /** Answered while the app drains: health and metrics, which are needed most then. */
  readonly servesWhileDraining: boolean
  /** Runs a call from its guards to its reply. Never throws. */
  readonly run: (call: ActiveCall) => void
  readonly identity: IdentityPolicy
  /** A step, the handler or the command gets the call, and may use it after the reply. */
  readonly mayKeepCall: boolean
  /** 0: none. */
  readonly deadlineMs: number
  /** Null when no plugin holds back the replies of the route. */
  readonly beforeReply: BeforeReply | null
  /** Counts the outcome of a package into the instruments; null for a route that is on HTTP only. */
  readonly countWebSocket: ((outcome: CallOutcome) => void) | null
  /** Null for a route that is on WebSocket only. */
  readonly httpCounter: HttpCounter | null
}
