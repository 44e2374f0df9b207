import type { ResponseStream } from '../transport/transport.ts'
import type { PageMeta } from './page.ts'

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

/** A source of a streamed body. It is read as fast as the client takes it and ended when the client leaves. */
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

/**
 * Sends `source` piece by piece, never faster than the client takes it. Resolves with whether all of it went out; a source that throws
 * cuts the connection, so that the client does not take half a body for a whole one, and rejects.
 */
export async function pump(source: StreamSource, stream: ResponseStream): Promise<boolean> {
  try {
    for await (const chunk of source) if (!(await stream.write(chunk))) return false
  } catch (error) {
    stream.abort()
    throw error
  }
  stream.end()
  return true
}

/** The same reply with its value in another form. */
export function withValue<T>({ kind, status, headers, meta }: Reply<unknown>, value: T): Reply<T> {
  return new ReplyResult(kind, value, {
    headers,
    ...(status !== null && { status }),
    ...(meta !== null && { meta }),
  })
}
