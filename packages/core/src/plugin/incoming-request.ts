import type { Wire } from '../call/call.ts'
import type { ReplyHeaders } from '../call/reply-headers.ts'

/** An HTTP request or an upgrade, before any check of it. */
export interface IncomingRequest {
  readonly wire: Wire
  readonly method: string
  readonly path: string
  /** The client's IP address, as trusted proxies report it. */
  readonly address: string
  /** The client used TLS, to this server or to a trusted proxy. */
  readonly secure: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  /** Headers of the response: over HTTP those of the call, over WebSocket those of a rejected upgrade. */
  readonly replyHeaders: ReplyHeaders
}
