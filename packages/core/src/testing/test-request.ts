import type { RawHttp } from './raw-client.ts'
import type { RawHeaders, RawRequest } from './raw-types.ts'

/** A request as a test writes it: `request('POST /authors', { json: { name: 'Ursula' } })`. */
export interface TestRequest extends Omit<RawRequest, 'method' | 'path' | 'body'> {
  /** As of `RawRequest`. A form, search parameters and a `Blob` with a `type` are sent with their content type, as `fetch` does, and whole. */
  readonly body?: RawRequest['body'] | FormBody
  /** Sent as the body, with its content type. */
  readonly json?: unknown
}

type FormBody = FormData | URLSearchParams | Blob

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
  const { json, body: sent, ...rest } = options
  const encoded =
    json === undefined
      ? await encodeBody(sent, rest.headers)
      : { body: JSON.stringify(json), headers: withType(rest.headers, 'application/json') }
  const { status, headers, setCookies, body } = await raw.request({ ...rest, ...encoded, method, path })
  const text = new TextDecoder().decode(body)
  return { status, headers, setCookies, text, bytes: body, json: () => JSON.parse(text) }
}

async function encodeBody(body: TestRequest['body'], headers: RawHeaders | undefined): Promise<Partial<RawRequest>> {
  if (!isFormBody(body)) return { body, headers }
  const encoded = new Response(body)
  const type = encoded.headers.get('content-type')
  const bytes = new Uint8Array(await encoded.arrayBuffer())
  return { body: bytes, headers: type === null ? headers : withType(headers, type) }
}

function isFormBody(body: TestRequest['body']): body is FormBody {
  return body instanceof FormData || body instanceof URLSearchParams || body instanceof Blob
}

function withType(headers: RawHeaders = {}, type: string): RawHeaders {
  return { 'content-type': type, ...headers }
}
