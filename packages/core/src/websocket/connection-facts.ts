import { toTraceparent } from '../call/traceparent.ts'
import { findPacked, type PackedHeaders, unpackHeaders } from '../edge/packed-headers.ts'
import { toQuery } from '../edge/request-preprocessor.ts'
import type { Connection } from '../hub/connection.ts'
import { nextSerial, toConnectionId } from '../hub/connection-id.ts'
import type { Codec } from '../protocol/codec.ts'
import type { UpgradeFacts, WebSocketWire } from './wire.ts'

/** What is known of a connection from its upgrade on. An idle connection keeps it as text, and most are never asked for it. */
export class ConnectionFacts {
  readonly serial: number = nextSerial()
  readonly shared: WebSocketWire
  readonly address: string
  readonly codec: Codec
  readonly connectedAt: number
  /** Text until they are read. */
  #headers: PackedHeaders | Connection['headers']
  #query: string | Connection['query']

  constructor(shared: WebSocketWire, { address, codec, headers, query }: UpgradeFacts) {
    this.shared = shared
    this.address = address
    this.codec = codec
    this.connectedAt = shared.services.clock.now()
    this.#headers = headers
    this.#query = query
  }

  get id(): string {
    return toConnectionId(this.serial)
  }
  get wire(): 'ws' {
    return 'ws'
  }
  get maxMessageBytes(): number {
    return this.shared.options.maxMessageBytes
  }
  get headers(): Connection['headers'] {
    if (typeof this.#headers === 'string') this.#headers = unpackHeaders(this.#headers)
    return this.#headers
  }
  get query(): Connection['query'] {
    if (typeof this.#query === 'string') this.#query = toQuery(this.#query)
    return this.#query
  }
  /** Calls belong to the trace that opened the connection, unless their package names another one. */
  get traceparent(): string | null {
    const headers = this.#headers
    const header = typeof headers === 'string' ? findPacked(headers, 'traceparent') : headers.traceparent
    return toTraceparent(header ?? '')
  }
}
