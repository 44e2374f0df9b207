import type { AnySchema } from '../base/schema.ts'
import type { CompiledHttp, IdentityPolicy } from '../call/compiled-route.ts'
import type { ErrorCode } from '../errors/codes.ts'
import type { AppDescription, RouteDescription, StepDescription } from '../route/describe.ts'
import type { HttpFields, ParameterType } from '../route/route-types.ts'

/** An error code with what it is on each wire. */
export interface ErrorContract extends ErrorCode {
  readonly code: string
}

/** How a route takes requests over HTTP. */
export interface RequestContract
  extends Pick<CompiledHttp, 'raw' | 'isFetch' | 'maxBodyBytes' | 'streamed' | 'multipart' | 'status' | 'contentType'> {
  /** `ALL` for a fetch handler. */
  readonly method: string
  /** The pattern, `/authors/:id`. */
  readonly path: string
  /** Requests have a body, which may be of any kind. */
  readonly hasBody: boolean
  /** Query keys of a method with a body. */
  readonly query: readonly string[]
  /** Types of parameters that the route declares. */
  readonly params: Readonly<Record<string, ParameterType>>
  /** `http.input` of the route; null: path, query and body are the input. */
  readonly map: ((query: HttpFields) => unknown) | null
  /** Answers with files of a folder: `staticFiles`. */
  readonly servesFiles: boolean
}

export interface RouteContract extends RouteDescription {
  /** Null: what is sent is ignored. */
  readonly input: AnySchema | null
  /** Of `pageOf` and `stream` the schema of an item; `reply` says which it is. Null without one. */
  readonly output: AnySchema | null
  readonly declaredErrors: readonly ErrorContract[]
  /** `optional`: a public route that identifies callers with credentials. */
  readonly identity: IdentityPolicy
  /** Null for a route that is on WebSocket only. */
  readonly request: RequestContract | null
  /** What answers during a drain is for operators: health and metrics. */
  readonly servesWhileDraining: boolean
}

export type EventContract = AppDescription['events'][number] & {
  readonly data: AnySchema
  /** Of what clients answer; null for an event that does not ask. */
  readonly answer: AnySchema | null
}

export interface TopicContract {
  /** `ticket:{id}` */
  readonly pattern: string
  /** May clients ask for it by `{"type":"subscribe"}`? */
  readonly subscribe: boolean
  /** False: none. Undefined: that of the broker. */
  readonly history: { readonly size: number; readonly ttlMs: number } | false | undefined
  readonly resume: boolean
  readonly presence: boolean
  readonly slow: 'disconnect' | 'latest'
  /** Guards of who joins. */
  readonly steps: readonly StepDescription[]
}

/** All that an app serves, with its schemas: for a plugin that describes it to clients. */
export interface AppContract {
  readonly routes: readonly RouteContract[]
  readonly events: readonly EventContract[]
  readonly topics: readonly TopicContract[]
  /** Errors of the app that no route declares. */
  readonly errors: readonly ErrorContract[]
  readonly websocket: {
    readonly path: string
    readonly maxMessageBytes: number
    readonly maxInFlight: number
    readonly maxTopics: number
    /** Names of its codecs; the first one is the default. */
    readonly codecs: readonly string[]
    /** The control frame that opens a connection; null without one. */
    readonly handshake: { readonly type: string; readonly timeoutMs: number } | null
    /** Types of control frames of plugins. */
    readonly controlFrames: readonly string[]
  }
  /** What a key of a query or a body does that no schema declares. */
  readonly unknownKeys: 'validate' | 'ignore'
  /**
   * The `www-authenticate` header of a call without an identity, `Bearer realm="app"`; null when no plugin identifies callers, or when one does by cookies
   * and has no such header.
   */
  readonly challenge: string | null
  /** Cookies that carry credentials, by name. */
  readonly credentialCookies: readonly string[]
}
