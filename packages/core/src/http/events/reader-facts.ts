import type { Identity } from '../../call/identity.ts'
import type { PackedHeaders } from '../../edge/packed-headers.ts'
import type { CloseReason } from '../../hub/disconnect-target.ts'

/** What a reader knows of its request. */
export interface ReaderFacts {
  readonly address: string
  readonly headers: PackedHeaders
  /** As sent. */
  readonly query: string
  readonly identity: Identity | null
  readonly heartbeatMs: number
}

/** What feeds a reader: its call until the response has begun, and its iterable. */
export interface ReaderSource {
  /** Begins the response. */
  begin(): void
  /** The reader has ended. `hasBegun`: with its response; otherwise the call is to be refused. */
  readerEnded(row: CloseReason, hasBegun: boolean): void
}

/** The topic of a reader, as the hub sees what a connection has joined. A Set takes ten times the memory. */
export class OneTopic {
  topic: string | null = null
  has(topic: string): boolean {
    return this.topic === topic
  }
  add(topic: string): void {
    this.topic = topic
  }
  delete(topic: string): boolean {
    const had = this.topic === topic
    if (had) this.topic = null
    return had
  }
}
