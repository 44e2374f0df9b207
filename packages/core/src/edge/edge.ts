import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { QueryRecord, Wire } from '../call/call.ts'
import type { ReplyHeaders } from '../call/reply-headers.ts'
import { type AppError, MalformedRequestError } from '../errors/app-error.ts'
import type { IncomingRequest } from '../plugin/host.ts'
import { parseQuery } from '../route/query.ts'
import type { RequestHead } from '../transport/transport.ts'
import { type ClientAddress, createClientAddress } from './client-address.ts'
import { toHostName } from './host.ts'

export interface EdgeOptions {
  /** Addresses or CIDR ranges whose `X-Forwarded-*` headers are believed. Default: nobody's. */
  readonly trustedProxies: readonly string[]
  /** Names that this app answers to, as `toHostName` writes them; null: any. */
  readonly hosts: readonly string[] | null
}

/** What both wires find out about a request before anything else looks at it. */
export class Edge {
  readonly #clientAddress: ClientAddress
  readonly #hosts: ReadonlySet<string> | null
  readonly #onRequest: readonly ((arrival: IncomingRequest) => MaybePromise<void>)[]

  constructor(options: EdgeOptions, onRequest: readonly ((arrival: IncomingRequest) => MaybePromise<void>)[]) {
    this.#clientAddress = createClientAddress(options.trustedProxies)
    this.#hosts = options.hosts === null ? null : new Set(options.hosts)
    this.#onRequest = onRequest
  }

  /** The caller's address: the peer's, or what trusted proxies say. */
  address(head: RequestHead): string {
    const peer = head.address
    return this.#clientAddress.isTrusted(peer)
      ? this.#clientAddress.resolve(peer, head.header('x-forwarded-for'))
      : peer
  }

  /** Did the caller speak TLS, to us or to a trusted proxy? */
  secure(head: RequestHead): boolean {
    if (head.secure) return true
    return this.#clientAddress.isTrusted(head.address) && head.header('x-forwarded-proto').toLowerCase() === 'https'
  }

  /** Null when the request may go on. */
  refuse(head: RequestHead): AppError | null {
    if (head.malformed !== null) return new MalformedRequestError(head.malformed)
    if (this.#hosts === null) return null
    return this.#hosts.has(toHostName(head.header('host')))
      ? null
      : new MalformedRequestError('The Host header names no host of this server')
  }

  /** Runs the hooks; throws or rejects with what one refuses with. */
  arrive(wire: Wire, head: RequestHead, arriving: Arriving): MaybePromise<void> {
    if (this.#onRequest.length === 0) return
    return this.#runFrom(0, toIncomingRequest(wire, head, arriving))
  }

  #runFrom(from: number, arrival: IncomingRequest): MaybePromise<void> {
    for (let i = from; i < this.#onRequest.length; i++) {
      const result = this.#onRequest[i]?.(arrival)
      if (isPromise(result)) return result.then(() => this.#runFrom(i + 1, arrival))
    }
  }
}

/** What is found out on the way, and gathered for the answer. */
export interface Arriving {
  readonly address: string
  /** Made when it is first asked for. */
  readonly replyHeaders: ReplyHeaders
}

const noQuery: QueryRecord = Object.freeze({})

/** A request as hooks see it. A query that cannot be parsed is empty here; the input stage refuses it. */
export function toIncomingRequest(wire: Wire, head: RequestHead, arriving: Arriving): IncomingRequest {
  return {
    wire,
    address: arriving.address,
    method: head.method,
    path: head.path,
    headers: head.headers(),
    query: toQuery(head.query),
    get replyHeaders() {
      return arriving.replyHeaders
    },
  }
}

export function toQuery(raw: string): QueryRecord {
  if (raw === '') return noQuery
  const parsed = parseQuery(raw)
  return parsed.ok ? parsed.value : noQuery
}
