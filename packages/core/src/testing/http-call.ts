import { randomUUID } from 'node:crypto'
import type { RouteTable } from '../app/app-options.ts'
import { parsePattern } from '../route/path-pattern.ts'
import type { HttpOptions } from '../route/route-types.ts'
import { type AnsweredErrors, toCallError } from './answered-errors.ts'
import type { RawHttp } from './raw-client.ts'
import type { RawHeaders, RawRequest, RawResponse } from './raw-types.ts'

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
export async function callHttp(over: TestClientHttp, name: string, input: unknown): Promise<unknown> {
  const { raw, address } = over
  const { body, ...target } = toRequest(name, bindingOf(over.routes, name), input)
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const headers = { 'x-correlation-id': randomUUID(), ...over.headers, ...type }
  return readAnswer(over, name, await raw.request({ ...target, body, headers, address }))
}

function bindingOf(routes: RouteTable, name: string): HttpOptions {
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined
  if (route === undefined) throw new TypeError(`'${name}' is not a route of this app`)
  const { http } = route.definition
  if (http === null) throw new TypeError(`${name} is served over WebSocket only: give it \`http\`, or use \`call\``)
  if (http.body === 'raw') throw new TypeError(`${name} takes a raw body: send one with request('${http.route}')`)
  return http
}

function toRequest(name: string, http: HttpOptions, input: unknown): Pick<RawRequest, 'method' | 'path' | 'body'> {
  const space = http.route.indexOf(' ')
  const method = http.route.slice(0, space)
  const pattern = http.route.slice(space + 1)
  const { parameters } = parsePattern(pattern)
  const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH'
  if (!isFields(input)) {
    if (parameters.length > 0 || (!hasBody && input !== undefined))
      throw new TypeError(`${name} takes an object over HTTP`)
    return { method, path: pattern, body: input === undefined ? undefined : JSON.stringify(input) }
  }
  const query = new URLSearchParams()
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined || parameters.includes(key)) continue
    if (hasBody && http.query?.includes(key) !== true) rest[key] = value
    else for (const each of Array.isArray(value) ? value : [value]) query.append(key, toText(name, key, each))
  }
  const path = `${fillPath(name, pattern, input)}${query.size === 0 ? '' : `?${query}`}`
  return { method, path, body: hasBody ? JSON.stringify(rest) : undefined }
}

function fillPath(name: string, pattern: string, input: Fields): string {
  const segments = pattern.split('/').map((segment) => {
    const kind = segment.charAt(0)
    if (kind !== ':' && kind !== '*') return segment
    const key = segment === '*' ? '*' : segment.slice(1)
    const text = toText(name, key, input[key])
    return kind === ':' ? encodeURIComponent(text) : text.split('/').map(encodeURIComponent).join('/')
  })
  return segments.join('/')
}

function toText(name: string, key: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  throw new TypeError(`${name}: ${key} cannot be written into a path or a query: send the request with request(…)`)
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
