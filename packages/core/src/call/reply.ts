import type { AnySchema, InputOf, OutputOf, Schema } from '../base/schema.ts'
import type { PageMeta } from '../protocol/frame.ts'
import type { ReplyCookies } from './cookies.ts'
import { type EventsOptions, type EventsResult, type EventsSource, toEventsResult } from './events-source.ts'
import { type FileOptions, type FileResult, toFileResult } from './file-result.ts'

/** Headers by name; a list for a header that repeats (`set-cookie`). */
export type ReplyHeadersInit = Readonly<Record<string, string | readonly string[]>>

export interface ReplyOptions {
  /** HTTP status; default the route's. An `internal_error` on a route that is on WebSocket only. */
  readonly status?: number
  /** Of HTTP. An `internal_error` on a route that is on WebSocket only. */
  readonly headers?: ReplyHeadersInit
  /**
   * Cookies by name, in place of those that steps have set under it; null deletes one. Of HTTP. An `internal_error` on a route that is on WebSocket
   * only, and for a cookie that browsers would not keep.
   *
   * @example
   * reply(undefined, { cookies: { session: { value: id, signed: true }, theme: 'dark', old: null } })
   */
  readonly cookies?: ReplyCookies
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
  readonly kind: 'value' | 'text' | 'bytes' | 'stream' | 'events' | 'file'
  readonly value: T
  readonly status: number | null
  readonly headers: ReplyHeadersInit
  readonly cookies: ReplyCookies | null
  readonly meta: PageMeta | null
}

class ReplyResult<T> implements Reply<T> {
  readonly kind: Reply<T>['kind']
  readonly value: T
  readonly status: number | null
  readonly headers: ReplyHeadersInit
  readonly cookies: ReplyCookies | null
  readonly meta: PageMeta | null
  constructor(kind: Reply<T>['kind'], value: T, { status, headers, cookies, meta }: ReplyOptions) {
    this.meta = meta ?? null
    this.kind = kind
    this.value = value
    if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599))
      throw new RangeError(`A reply has a status from 200 to 599, not ${status}`)
    this.status = status ?? null
    this.headers = headers ?? {}
    this.cookies = cookies ?? null
  }
}

/** A stream cannot be a package: put a route that returns one into `endpoints`. */
export interface StreamReply extends Reply<StreamSource> {
  readonly kind: 'stream'
}

export class StreamResult extends ReplyResult<StreamSource> implements StreamReply {
  declare readonly kind: 'stream'
}

/** Server-sent events cannot be a package: put a route that returns them into `endpoints`. */
export interface EventsReply extends Reply<EventsResult> {
  readonly kind: 'events'
}

/** A file cannot be a package: put a route that returns one into `endpoints`. */
export interface FileReply extends Reply<FileResult> {
  readonly kind: 'file'
}

export class FileReplyResult extends ReplyResult<FileResult> implements FileReply {
  declare readonly kind: 'file'
  constructor(value: FileResult, options: ReplyOptions = {}) {
    super('file', value, options)
  }
}

class EventsReplyResult extends ReplyResult<EventsResult> implements EventsReply {
  declare readonly kind: 'events'
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
  /**
   * Server-sent events, HTTP only: put the route into `endpoints`. `source` is an iterable of `{ id, event, data }`, or `{ topic }`: its
   * publications, once the rule of the topic allows it, with ids from which a client that comes back goes on (`Last-Event-ID`). The client
   * is a connection: limits, expiry of its token and `hub.disconnect` apply to it, and it is sent until it leaves or the app closes. The
   * deadline of the call covers what is before the first byte.
   *
   * Throws a RangeError for options that are not allowed, and a TypeError for a source that is none.
   *
   * @example
   * handler: ({ id }) => reply.events({ topic: `ticket:${id}` })
   */
  events(source: EventsSource, options?: EventsOptions): EventsReply
  /**
   * A file below `root`, HTTP only: put the route into `endpoints`. `name` is a relative path with `/` between folders, and may come from the caller:
   * what is not below `root`, hidden (a dot at the beginning of a segment), or no file is `not_found`. Ranges and conditional requests are
   * answered. HTML, SVG and XML are downloaded rather than shown unless `inline` is true, since their scripts would run as those of your site.
   *
   * Throws a TypeError for options that are not allowed.
   *
   * @example
   * handler: ({ id }) => reply.file(`${id}.pdf`, { root: '/var/invoices', filename: `Invoice ${id}.pdf` })
   */
  file(name: string, options: FileOptions): FileReply
} = Object.assign(<T>(value: T, options: ReplyOptions = {}): Reply<T> => new ReplyResult('value', value, options), {
  text: (text: string, options: ReplyOptions = {}): Reply<string> => new ReplyResult('text', text, options),
  bytes: (bytes: Uint8Array, options: ReplyOptions = {}): Reply<Uint8Array> => new ReplyResult('bytes', bytes, options),
  stream: (source: StreamSource, options: ReplyOptions = {}): StreamReply =>
    new StreamResult('stream', source, options),
  events: (source: EventsSource, options: EventsOptions = {}): EventsReply =>
    new EventsReplyResult('events', toEventsResult(source, options), {
      ...(options.headers !== undefined && { headers: options.headers }),
      ...(options.cookies !== undefined && { cookies: options.cookies }),
    }),
  file: (name: string, options: FileOptions): FileReply =>
    new FileReplyResult(toFileResult(name, options), {
      ...(options.cookies !== undefined && { cookies: options.cookies }),
      ...(options.status !== undefined && { status: options.status }),
      ...(options.headers !== undefined && { headers: options.headers }),
    }),
})

/** True for what `reply` and its methods return. */
export function isReply(value: unknown): value is Reply<unknown> {
  return value instanceof ReplyResult
}

/** True for what `reply.stream` returns. */
export function isStreamReply(value: unknown): value is Reply<StreamSource> {
  return isReply(value) && value.kind === 'stream'
}

/** True for what `reply.events` returns. */
export function isEventsReply(value: unknown): value is EventsReply {
  return isReply(value) && value.kind === 'events'
}

/** The same reply with another value. */
export function withValue<T>({ kind, status, headers, cookies, meta }: Reply<unknown>, value: T): Reply<T> {
  return new ReplyResult(kind, value, {
    headers,
    ...(status !== null && { status }),
    ...(cookies !== null && { cookies }),
    ...(meta !== null && { meta }),
  })
}

declare const madeByPage: unique symbol

/** A page of items, made by `page`: `data` and `meta` of a reply package, `{items, meta}` over HTTP. */
export interface Page<out T> {
  readonly items: readonly T[]
  readonly meta: PageMeta
  /** Never set: a page that `page` did not make does not compile, and would be an `internal_error`. */
  readonly [madeByPage]: true
}

class PageResult<T> implements Page<T> {
  readonly items: readonly T[]
  readonly meta: PageMeta
  declare readonly [madeByPage]: true
  constructor(items: readonly T[], meta: PageMeta) {
    this.items = items
    this.meta = meta
  }
}

/** Of a page by number: the other properties follow from these three. */
type OffsetMeta = Pick<PageMeta, 'page' | 'per_page' | 'total'> & Partial<PageMeta>
/** Of a page by cursor: there are more pages unless the cursor is null. */
type CursorMeta = Pick<PageMeta, 'per_page' | 'next_cursor'> & Partial<PageMeta>

/**
 * Makes the result of a route with `output: pageOf(…)`. Of `meta` only `page`, `per_page` and `total` are needed, or `per_page`
 * and `next_cursor`.
 *
 * @example
 * return page(authors, { page: 2, per_page: 20, total: 41 }) // pages: 3, has_more: true
 * return page(authors, { per_page: 20, next_cursor: 'AQ…' }) // page: 1, total: 0, pages: 0, has_more: true
 */
export function page<T>(items: readonly T[], meta: OffsetMeta | CursorMeta): Page<T> {
  const { page: number = 1, per_page, total = 0, next_cursor = null } = meta
  const pages = meta.pages ?? Math.ceil(total / per_page)
  const has_more = meta.has_more ?? (next_cursor !== null || number < pages)
  return new PageResult(items, { page: number, per_page, total, pages, next_cursor, has_more })
}

/** The same page with other items. */
export function withItems<T>({ meta }: Page<unknown>, items: readonly T[]): Page<T> {
  return new PageResult(items, meta)
}

/** True for what `page` returns. */
export function isPage(value: unknown): value is Page<unknown> {
  return value instanceof PageResult
}

/** The schema of a page. */
export interface PageSchema<out S extends AnySchema = AnySchema> extends Schema<Page<InputOf<S>>, Page<OutputOf<S>>> {
  readonly item: S
}

/**
 * The `output` of a route that answers with pages of `item`.
 *
 * @example
 * route({ output: pageOf(AuthorSchema), handler: () => page([{ id: 1, name: 'Ursula' }], { page: 1, per_page: 20, total: 1 }) })
 */
export function pageOf<S extends AnySchema>(item: S): PageSchema<S> {
  const standard: PageSchema['~standard'] = {
    version: 1,
    vendor: 'twinwire',
    validate: (value) => (isPage(value) ? { value } : { issues: [{ message: notAPage }] }),
  }
  return Object.freeze({ item, '~standard': standard })
}

const notAPage = 'a route with output: pageOf(…) must return page(items, meta)'

/** True for what `pageOf` returns. */
export function isPageSchema(schema: AnySchema): schema is PageSchema {
  return schema['~standard'].vendor === 'twinwire' && 'item' in schema
}
