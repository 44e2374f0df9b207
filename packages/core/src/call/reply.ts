import type { PageMeta } from '../protocol/frame.ts'

/** Headers by name; a list for a header that repeats (`set-cookie`). */
export type ReplyHeadersInit = Readonly<Record<string, string | readonly string[]>>

export interface ReplyOptions {
  /** HTTP status; default the route's. An `internal_error` on a route that is on WebSocket only. */
  readonly status?: number
  /** Of HTTP. An `internal_error` on a route that is on WebSocket only. */
  readonly headers?: ReplyHeadersInit
  /** `meta` of the reply package. Over HTTP a value has no `meta`: send it in a header; on an endpoint it is an `internal_error`. */
  readonly meta?: PageMeta
}

/**
 * A source of a streamed body: an async generator, a stream of Node or of the web, any iterable. It is read as fast as the client
 * receives it. It is ended when the client disconnects, on HEAD, and when the app closes while the source is idle: `call.signal` is aborted
 * and the source returned, destroyed or cancelled. An async generator cannot be interrupted in an `await`: pass `call.signal` to what it
 * waits for.
 */
export type StreamSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>

/** A result with a status, headers or `meta`. Over WebSocket only the value and `meta` are used. */
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

/** A stream cannot be a package: put a route that returns one into `endpoints`. */
export interface StreamReply extends Reply<StreamSource> {
  readonly kind: 'stream'
}

class StreamResult extends ReplyResult<StreamSource> implements StreamReply {
  declare readonly kind: 'stream'
}

/**
 * Answers with a custom status and custom headers. The value goes through `output` as any other.
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
  /** A streamed body, HTTP only: put the route into `endpoints`. In `routes` it is a type error, and an `internal_error` on both wires. */
  stream(source: StreamSource, options?: ReplyOptions): StreamReply
} = Object.assign(<T>(value: T, options: ReplyOptions = {}): Reply<T> => new ReplyResult('value', value, options), {
  text: (text: string, options: ReplyOptions = {}): Reply<string> => new ReplyResult('text', text, options),
  bytes: (bytes: Uint8Array, options: ReplyOptions = {}): Reply<Uint8Array> => new ReplyResult('bytes', bytes, options),
  stream: (source: StreamSource, options: ReplyOptions = {}): StreamReply =>
    new StreamResult('stream', source, options),
})

/** True for what `reply`, `reply.text`, `reply.bytes` and `reply.stream` return. */
export function isReply(value: unknown): value is Reply<unknown> {
  return value instanceof ReplyResult
}

/** True for what `reply.stream` returns. */
export function isStreamReply(value: unknown): value is Reply<StreamSource> {
  return isReply(value) && value.kind === 'stream'
}

/** The same reply with another value. */
export function withValue<T>({ kind, status, headers, meta }: Reply<unknown>, value: T): Reply<T> {
  return new ReplyResult(kind, value, {
    headers,
    ...(status !== null && { status }),
    ...(meta !== null && { meta }),
  })
}
