import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { QueryRecord, Wire } from '../call/call.ts'
import type { ReplyHeaders } from '../call/reply-headers.ts'
import { type AppError, MalformedRequestError } from '../errors/app-error.ts'
import type { IncomingRequest } from '../plugin/incoming-request.ts'
import { parseQuery } from '../route/query.ts'
import type { RequestHead } from '../transport/transport.ts'
import { type ClientAddress, createClientAddress } from './client-address.ts'
import { isSecureAt, mayBeSecure } from './forwarded-proto.ts'
import { toHostName } from './host.ts'

interface PreprocessorOptions {
  /** Addresses or CIDR ranges of proxies whose `X-Forwarded-*` headers are trusted. */
  readonly trustedProxies: readonly string[]
  /** Accepted host names, as `toHostName` returns them; null: any. */
  readonly hosts: readonly string[] | null
}

/** What both wires do with a request before anything else: client address, Host header, `onRequest` hooks. */
export class RequestPreprocessor {
  readonly #clientAddress: ClientAddress
  readonly #hasProxies: boolean
  readonly #hosts: ReadonlySet<string> | null
  /** An accepted header; '' at first, which is none. */
  #lastHost = ''
  readonly #onRequest: readonly ((request: IncomingRequest) => MaybePromise<void>)[]

  constructor(options: PreprocessorOptions, onRequest: readonly ((request: IncomingRequest) => MaybePromise<void>)[]) {
    this.#clientAddress = createClientAddress(options.trustedProxies)
    this.#hasProxies = options.trustedProxies.length > 0
    this.#hosts = options.hosts === null ? null : new Set(options.hosts)
    this.#onRequest = onRequest
  }

  /** The peer's address, or the one that trusted proxies report. */
  clientAddress(head: RequestHead): string {
    const peer = head.address
    return this.#clientAddress.isTrusted(peer)
      ? this.#clientAddress.resolve(peer, head.header('x-forwarded-for'))
      : peer
  }

  /**
   * Did the client use TLS, to this server or to a trusted proxy? `X-Forwarded-Proto` may be a list, or come in several lines. Its entry counts that
   * is where `X-Forwarded-For` has the client, from the right: what the client itself has sent is further left, if its proxy adds to both.
   */
  isSecure(head: RequestHead): boolean {
    if (head.secure) return true
    if (!this.#hasProxies) return false
    const proto = head.header('x-forwarded-proto')
    // The address last: reading it costs a system call.
    if (!mayBeSecure(proto) || !this.#clientAddress.isTrusted(head.address)) return false
    if (!proto.includes(',')) return true
    return isSecureAt(proto, this.#clientAddress.countHops(head.address, head.header('x-forwarded-for')))
  }

  /** Null for a well-formed request with an accepted Host header. */
  check(head: RequestHead): AppError | null {
    if (head.malformed !== null) return new MalformedRequestError(head.malformed)
    if (this.#hosts === null) return null
    const host = head.header('host')
    // Most requests name the same host as the one before.
    if (host === this.#lastHost) return null
    if (!this.#hosts.has(toHostName(host))) return new MalformedRequestError('Unknown Host header')
    this.#lastHost = host
    return null
  }

  get hasHooks(): boolean {
    return this.#onRequest.length > 0
  }

  /** Runs the `onRequest` hooks. Throws or rejects with the error of a hook that refuses the request. */
  runHooks(wire: Wire, head: RequestHead, context: RequestContext): MaybePromise<void> {
    if (this.#onRequest.length === 0) return
    return this.#runFrom(0, toIncomingRequest(wire, head, context))
  }

  #runFrom(from: number, request: IncomingRequest): MaybePromise<void> {
    for (let i = from; i < this.#onRequest.length; i++) {
      const result = this.#onRequest[i]?.(request)
      if (isPromise(result)) return result.then(() => this.#runFrom(i + 1, request))
    }
  }
}

/** What preprocessing adds to a request. */
export interface RequestContext {
  /** The client's address. */
  readonly address: string
  /** The client used TLS, to this server or to a trusted proxy. */
  readonly isSecure: boolean
  /** Created on first use. */
  readonly replyHeaders: ReplyHeaders
}

const noQuery: QueryRecord = Object.freeze({})

/** A request as hooks see it. A query that cannot be parsed is empty here; the input stage refuses it later. */
export function toIncomingRequest(wire: Wire, head: RequestHead, context: RequestContext): IncomingRequest {
  return new ReceivedRequest(wire, head, context)
}

/**
 * A class, because V8 makes a hidden class of its own for every object literal with a getter. That lives until a full collection, and with it
 * the getter, the request and all of its headers.
 */
class ReceivedRequest implements IncomingRequest {
  readonly wire: Wire
  readonly address: string
  readonly method: string
  readonly path: string
  readonly headers: IncomingRequest['headers']
  readonly query: IncomingRequest['query']
  readonly #context: RequestContext

  constructor(wire: Wire, head: RequestHead, context: RequestContext) {
    this.wire = wire
    this.address = context.address
    this.method = head.method
    this.path = head.path
    this.headers = head.headers()
    this.query = toQuery(head.query)
    this.#context = context
  }

  get secure(): boolean {
    return this.#context.isSecure
  }
  get replyHeaders(): ReplyHeaders {
    return this.#context.replyHeaders
  }
}

/** The same, each part read when it is used: for `identify`, which runs for most requests and uses one header. */
export class UnreadRequest implements IncomingRequest {
  readonly wire: Wire
  readonly #head: RequestHead
  readonly #context: RequestContext
  #query: QueryRecord | null = null

  constructor(wire: Wire, head: RequestHead, context: RequestContext) {
    this.wire = wire
    this.#head = head
    this.#context = context
  }

  get address(): string {
    return this.#context.address
  }
  get method(): string {
    return this.#head.method
  }
  get path(): string {
    return this.#head.path
  }
  get secure(): boolean {
    return this.#context.isSecure
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#head.headers()
  }
  get query(): QueryRecord {
    this.#query ??= toQuery(this.#head.query)
    return this.#query
  }
  get replyHeaders(): ReplyHeaders {
    return this.#context.replyHeaders
  }
}

export function toQuery(raw: string): QueryRecord {
  if (raw === '') return noQuery
  const parsed = parseQuery(raw)
  return parsed.ok ? parsed.value : noQuery
}
