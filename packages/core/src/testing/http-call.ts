import { randomUUID } from 'node:crypto'
import { type ManifestRoute, toHttpRequest } from '@twinwire/client/internal'
import type { RouteTable } from '../app/app-options.ts'
import { toJsonValue } from '../protocol/json-value.ts'
import { type AnsweredErrors, toCallError } from './answered-errors.ts'
import type { RawHttp } from './raw-client.ts'
import type { RawHeaders, RawResponse } from './raw-types.ts'

/** The HTTP side of a test client. */
export interface TestClientHttp {
  readonly raw: RawHttp
  /** The routes of the app: their methods, paths and query keys. */
  readonly routes: RouteTable
  /** Sent with each request, such as credentials. */
  readonly headers?: RawHeaders | undefined
  readonly address?: string | undefined
  /** Of an app in this process. Default: only the codes of errors are known. */
  readonly errors?: AnsweredErrors | undefined
}

type Fields = Readonly<Record<string, unknown>>

/** Calls a route by its method and path. Returns what the same call over WebSocket returns. */
export async function callHttp(
  over: TestClientHttp,
  name: string,
  route: ManifestRoute | undefined,
  input: unknown,
): Promise<unknown> {
  const { raw, address } = over
  const { body, method, target } = toHttpRequest(name, checked(over.routes, name, route), input)
  toJsonValue(input)
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const headers = { 'x-correlation-id': randomUUID(), ...over.headers, ...type }
  return readAnswer(over, name, await raw.request({ method, path: target, body, headers, address }))
}

function checked(routes: RouteTable, name: string, route: ManifestRoute | undefined): ManifestRoute {
  if (route === undefined) throw new TypeError(`'${name}' is not a route of this app`)
  if (route.http === undefined)
    throw new TypeError(`${name} is served over WebSocket only: give it \`http\`, or use \`call\``)
  if (routes[name]?.definition.http?.body === 'raw')
    throw new TypeError(`${name} takes a raw body: send one with request('${route.http}')`)
  return route
}

function readAnswer({ routes, errors }: TestClientHttp, name: string, { status, headers, body }: RawResponse): unknown {
  const text = new TextDecoder().decode(body)
  const type = headers['content-type'] ?? ''
  const answer: unknown = type.startsWith('application/json') && text !== '' ? JSON.parse(text) : null
  if (status >= 400) {
    if (isFields(answer) && isFields(answer.error)) {
      const { code, msg, details } = answer.error
      const received = { code: String(code), msg: String(msg), details }
      const callId = headers['x-correlation-id'] ?? ''
      throw toCallError({ callId, answer: received, httpStatus: status }, errors, routes[name])
    }
    throw new Error(`${name} was answered with HTTP ${status}: ${text}`)
  }
  if (text === '' || type.startsWith('application/json')) return answer
  // As bytes are over WebSocket.
  return type.startsWith('text/') ? text : Buffer.from(body).toString('base64')
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
