import type { RawHttp } from './raw-client.ts'
import type { RawHeaders, RawRequest } from './raw-types.ts'

/** A request as a test writes it: `request('POST /authors', { json: { name: 'Ursula' } })`. */
export interface TestRequest extends Omit<RawRequest, 'method' | 'path'> {
  /** Sent as the body, with its content type. */
  readonly json?: unknown
}

/** The answer, read to its end. */
export interface TestResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Each `set-cookie` as it was sent. */
  readonly setCookies: readonly string[]
  readonly text: string
  readonly bytes: Uint8Array
  /** The body as JSON; throws when it is not JSON. */
  json(): unknown
}

/** Sends a request and reads the answer. */
export async function sendRequest(raw: RawHttp, target: string, options: TestRequest = {}): Promise<TestResponse> {
  const space = target.indexOf(' ')
  const [method, path] = [target.slice(0, space), target.slice(space + 1)]
  const { json, ...rest } = options
  const asJson =
    json === undefined ? {} : { body: JSON.stringify(json), headers: withType(rest.headers, 'application/json') }
  const { status, headers, setCookies, body } = await raw.request({ ...rest, ...asJson, method, path })
  const text = new TextDecoder().decode(body)
  return { status, headers, setCookies, text, bytes: body, json: () => JSON.parse(text) }
}

function withType(headers: RawHeaders = {}, type: string): RawHeaders {
  return { 'content-type': type, ...headers }
}
