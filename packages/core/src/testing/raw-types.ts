/** Headers as a client gives them; a list is sent as repeated headers. */
export type RawHeaders = Readonly<Record<string, string | readonly string[]>>

/** One HTTP request, as a test writes it. */
export interface RawRequest {
  readonly method: string
  /** With the query, as it goes over the wire. */
  readonly path: string
  readonly headers?: RawHeaders | undefined
  /** Text and bytes are declared by `content-length`; an iterable goes out chunked, unless the headers declare a length. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** The IP address that the server sees. Over a real network it must be one of this machine, such as 127.0.0.2. */
  readonly address?: string | undefined
  /** Aborting it is a client that leaves: the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** The answer, read to its end. Repeated headers are joined by ', '. */
export interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Each `set-cookie` as it was sent. */
  readonly setCookies: readonly string[]
  readonly body: Uint8Array
}

/** The answer, to be read at the pace of the loop over `body`. Leaving that loop early cuts the connection. */
export interface RawStreamedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Each `set-cookie` as it was sent. */
  readonly setCookies: readonly string[]
  readonly body: AsyncIterable<Uint8Array>
}

/** One WebSocket handshake, as a test writes it. */
export interface RawConnect {
  /** With the query. */
  readonly path: string
  readonly headers?: RawHeaders | undefined
  readonly address?: string | undefined
  /** What is offered in `sec-websocket-protocol`. */
  readonly protocols?: readonly string[] | undefined
  /** Aborting it before the handshake is complete is a client that leaves. */
  readonly signal?: AbortSignal | undefined
}

/** The server answered a WebSocket handshake with plain HTTP. */
export class UpgradeRefused extends Error implements RawResponse {
  override readonly name = 'UpgradeRefused'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
  readonly body: Uint8Array

  constructor(response: RawResponse) {
    super(`the upgrade was refused with HTTP ${response.status}: ${new TextDecoder().decode(response.body)}`)
    this.status = response.status
    this.headers = response.headers
    this.setCookies = response.setCookies
    this.body = response.body
  }
}
