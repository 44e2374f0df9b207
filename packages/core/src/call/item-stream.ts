import type { AnySchema, InputOf, OutputOf, Schema } from '../base/schema.ts'
import type { ReplyCookies } from './cookies.ts'
import { isReply, type ReplyHeadersInit } from './reply.ts'
import { openSource } from './stream-source.ts'

/** What a route with `output: stream(…)` returns: an async generator, a stream of the web or of Node, any iterable. */
export type ItemSource<T> = AsyncIterable<T> | (Iterable<T> & object)

declare const sentByItems: unique symbol

/**
 * The reply of a route with `output: stream(…)`, as a client receives it: items, one after the other. It is a type only: core reads what
 * the handler returned, and a client makes its own iterable.
 */
export interface ItemStream<out T> {
  /** Never set: carries the type. */
  readonly [sentByItems]: T
}

/** The schema of a streamed reply. */
export interface StreamSchema<out S extends AnySchema = AnySchema>
  extends Schema<ItemSource<InputOf<S>>, ItemStream<OutputOf<S>>> {
  /** Of one item. */
  readonly each: S
}

/**
 * The `output` of a route that sends its reply item by item, as they come. The handler or command returns an async iterable; each item is
 * projected on `item`, and validated in development and test, as `output` is. The iterable is read no faster than the client receives.
 *
 * Over WebSocket each item is a reply package with `meta: {"more":true}`, and a last one without it says how the stream ended. Over HTTP
 * it is NDJSON, or server-sent events for a request with `Accept: text/event-stream`.
 *
 * The call runs until its stream ends: it counts towards `maxInFlight`, and its deadline applies (`deadlineMs: 0` for none). When the
 * client cancels or disconnects, or the deadline passes, `call.signal` is aborted and the iterable is returned, destroyed or cancelled. An
 * async generator cannot be interrupted in an `await`: pass `call.signal` to what it waits for.
 *
 * A route with interceptors, such as `transaction()`, cannot stream: they would end before the first item is read.
 *
 * @example
 * route({
 *   output: stream(v.object({ n: v.number() })),
 *   async *handler() {
 *     for (let n = 1; n <= 3; n++) yield { n }
 *   },
 * })
 */
export function stream<S extends AnySchema>(item: S): StreamSchema<S> {
  const standard: StreamSchema['~standard'] = {
    version: 1,
    vendor: 'twinwire',
    // Core validates each item with `each`: a stream as a whole has nothing that could be validated.
    validate: () => ({ issues: [{ message: 'a streamed reply is validated item by item, with the schema `each`' }] }),
  }
  return Object.freeze({ each: item, '~standard': standard })
}

const notASource = 'a route with output: stream(…) must return an async iterable, or another iterable object'

/** True for what `stream` returns. */
export function isStreamSchema(schema: AnySchema): schema is StreamSchema {
  return schema['~standard'].vendor === 'twinwire' && 'each' in schema
}

function isSource(value: unknown): value is ItemSource<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
}

/** The result of a route with `output: stream(…)`, before it is sent. */
export class ItemsResult {
  readonly source: ItemSource<unknown>
  /** Of the HTTP response; null for the route's. */
  readonly status: number | null
  readonly headers: ReplyHeadersInit
  readonly cookies: ReplyCookies | null

  constructor(
    source: ItemSource<unknown>,
    status: number | null,
    headers: ReplyHeadersInit,
    cookies: ReplyCookies | null,
  ) {
    this.source = source
    this.status = status
    this.headers = headers
    this.cookies = cookies
  }

  /** It is not sent: the file or the query that it reads would stay open. */
  async discard(): Promise<void> {
    await openSource(this.source).end()
  }
}

/** @throws what is logged as the cause of an `internal_error`, for a result that has no items */
export function toItems(result: unknown): ItemsResult {
  const { value, status, headers, cookies } = isReply(result)
    ? result
    : { value: result, status: null, headers: {}, cookies: null }
  if (isReply(result) && result.kind !== 'value')
    throw new TypeError(`reply.${result.kind} has no items: ${notASource}`)
  if (isReply(result) && result.meta !== null) throw new TypeError('A streamed reply has no meta: remove it')
  if (!isSource(value)) throw new TypeError(notASource)
  return new ItemsResult(value, status, headers, cookies)
}
