import type { PageMeta } from '../protocol/frame.ts'

/** Headers by name; a list for a header that repeats (`set-cookie`). */
export type ReplyHeadersInit = Readonly<Record<string, string | readonly string[]>>

export interface ReplyOptions {
  /** HTTP status; default the route's. An `internal_error` on a route that is on WebSocket only. */
  readonly status?: number
  /** Of HTTP. An `internal_error` on a route that is on WebSocket only. */
  readonly headers?: ReplyHeadersInit
  /** `meta` of the reply package. Over HTTP a value has no meta beside it: say there in a header what a client has to know; on an endpoint it is an `internal_error`. */
  readonly meta?: PageMeta
}

/**
 * A source of a streamed body: an async generator, a stream of Node or of the web, anything that iterates. It is read as fast as the
 * client takes it, and ended when the client leaves, on HEAD, and when the app closes while it gives nothing: `call.signal` is aborted
 * and the source returned, destroyed or cancelled. An async generator cannot be taken out of an `await`: hand `call.signal` to
 * what it waits for.
 */
export type StreamSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>

/** A result with more to say than its value. Over WebSocket the value and `meta` count. */
export interface Reply<out T> {
  readonly kind: 'value' | 'text' | 'bytes' | 'stream'
  readonly value: T
  readonly status: number | null
  readonly headers: ReplyHeadersInit
  readonly meta: PageMeta | null
}

class ReplyResult<T> implements Reply<T> {
  readonly kind: Reply<T>['kind']
  readonly value: T
  readonly status: number | null
  readonly headers: ReplyHeadersInit
  readonly meta: PageMeta | null
  constructor(kind: Reply<T>['kind'], value: T, { status, headers, meta }: ReplyOptions) {
    this.meta = meta ?? null
    this.kind = kind
    this.value = value
    if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599))
      throw new RangeError(`A reply has a status from 200 to 599, not ${status}`)
    this.status = status ?? null
    this.headers = headers ?? {}
  }
}

/** A stream has no form as a package: a route that answers with one belongs in `endpoints`. */
export interface StreamReply extends Reply<StreamSource> {
  readonly kind: 'stream'
}

class StreamResult extends ReplyResult<StreamSource> implements StreamReply {
  declare readonly kind: 'stream'
}

/**
 * Answers with a status and headers of one's own. The value goes through `output` as any other.
 *
 * @example
 * handler: (input) => reply({ id: 1 }, { status: 202, headers: { location: '/jobs/1' } })
 */
export const reply: {
  <T>(value: T, options?: ReplyOptions): Reply<T>
  /** `text/plain` unless `headers` say otherwise; a JSON string over WebSocket. */
  text(text: string, options?: ReplyOptions): Reply<string>
  /** `application/octet-stream` unless `headers` say otherwise; base64 over WebSocket. */
  bytes(bytes: Uint8Array, options?: ReplyOptions): Reply<Uint8Array>
  /** A body in pieces, HTTP only: a route that answers with one is in `endpoints`. In `routes` it is a type error, and an `internal_error` on both wires. */
  stream(source: StreamSource, options?: ReplyOptions): StreamReply
} = Object.assign(<T>(value: T, options: ReplyOptions = {}): Reply<T> => new ReplyResult('value', value, options), {
  text: (text: string, options: ReplyOptions = {}): Reply<string> => new ReplyResult('text', text, options),
  bytes: (bytes: Uint8Array, options: ReplyOptions = {}): Reply<Uint8Array> => new ReplyResult('bytes', bytes, options),
  stream: (source: StreamSource, options: ReplyOptions = {}): StreamReply =>
    new StreamResult('stream', source, options),
})

/** True for what `reply` and its kin made. */
export function isReply(value: unknown): value is Reply<unknown> {
  return value instanceof ReplyResult
}

/** True for what `reply.stream` made. */
export function isStreamReply(value: unknown): value is Reply<StreamSource> {
  return isReply(value) && value.kind === 'stream'
}

/** The same reply with its value in another form. */
export function withValue<T>({ kind, status, headers, meta }: Reply<unknown>, value: T): Reply<T> {
  return new ReplyResult(kind, value, {
    headers,
    ...(status !== null && { status }),
    ...(meta !== null && { meta }),
  })
}
