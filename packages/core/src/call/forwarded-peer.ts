import type { AppError } from '../errors/app-error.ts'
import type { ActiveCall } from './active-call.ts'
import type { CallConnection, QueryRecord, Wire } from './call.ts'
import type { CallPeer } from './call-context.ts'
import type { ItemsResult } from './item-stream.ts'
import type { ReplyHeaders } from './reply-headers.ts'
import type { ItemSink } from './streamed-reply.ts'

/** Takes the place of a call's peer, so that it is informed of every end of the call. What it does not change is done by that peer. */
export class ForwardedPeer implements CallPeer {
  protected readonly peer: CallPeer

  constructor(peer: CallPeer) {
    this.peer = peer
  }

  get wire(): Wire {
    return this.peer.wire
  }
  get address(): string {
    return this.peer.address
  }
  get headers(): Readonly<Record<string, string>> {
    return this.peer.headers
  }
  get query(): QueryRecord {
    return this.peer.query
  }
  get connection(): CallConnection | null {
    return this.peer.connection
  }
  get traceparent(): string | null {
    return this.peer.traceparent
  }
  get isSecure(): boolean | undefined {
    return this.peer.isSecure
  }
  get method(): string | undefined {
    return this.peer.method
  }
  get requestedPath(): string | undefined {
    return this.peer.requestedPath
  }
  get replyHeaders(): ReplyHeaders | undefined {
    return this.peer.replyHeaders
  }
  get addedHeaders(): ReplyHeaders | null {
    return this.peer.addedHeaders ?? null
  }
  readInput(call: ActiveCall, next: (call: ActiveCall, input: unknown) => void): void {
    this.peer.readInput(call, next)
  }
  openItems(call: ActiveCall, items: ItemsResult): ItemSink {
    return this.peer.openItems(call, items)
  }
  succeed(call: ActiveCall, result: unknown): number {
    return this.peer.succeed(call, result)
  }
  fail(call: ActiveCall, error: AppError): void {
    this.peer.fail(call, error)
  }
  ended(call: ActiveCall): void {
    this.peer.ended(call)
  }
}
