import type { AppContract, RequestContract, RouteContract } from '@twinwire/core/plugin'
import type { SchemaComponents } from '../schemas/components.ts'
import type { SchemaConverter } from '../schemas/json-schema.ts'
import { type Json, noted } from '../schemas/node.ts'
import { errorsOf, toErrorData, toRow } from '../shared/errors.ts'
import { pageMeta } from '../shared/facts.ts'

interface Parts {
  readonly app: AppContract
  readonly converter: SchemaConverter
  readonly components: SchemaComponents
  readonly responses: ErrorResponses
  /** The name of the operation. */
  readonly name: string
}

/** Headers of any answer, in `components.headers`. */
export const headerComponents: Json = {
  CorrelationId: { description: 'That of the request, or a new one', schema: { type: 'string' } },
  RateLimit: { description: 'What each limit has left: `"name";r=9;t=60`', schema: { type: 'string' } },
  RateLimitPolicy: { description: 'Each limit: `"name";q=10;w=60`', schema: { type: 'string' } },
  XRateLimitLimit: { description: 'Of the limit that is closest to refusing', schema: { type: 'integer' } },
  XRateLimitRemaining: { description: 'Of the limit that is closest to refusing', schema: { type: 'integer' } },
  XRateLimitReset: { description: 'Seconds until it is full again', schema: { type: 'integer' } },
  RetryAfter: { description: 'Seconds', schema: { type: 'integer' } },
  WwwAuthenticate: { schema: { type: 'string' } },
}

const reference = (name: string): Json => ({ $ref: `#/components/headers/${name}` })
const always: Json = { 'x-correlation-id': reference('CorrelationId') }
const ofLimits: Json = {
  ratelimit: reference('RateLimit'),
  'ratelimit-policy': reference('RateLimitPolicy'),
  'x-ratelimit-limit': reference('XRateLimitLimit'),
  'x-ratelimit-remaining': reference('XRateLimitRemaining'),
  'x-ratelimit-reset': reference('XRateLimitReset'),
}

/** By status. */
export function describeResponses(route: RouteContract, request: RequestContract, parts: Parts): Json {
  const limited = route.steps.some(({ limits }) => limits.some(({ wire }) => wire !== 'ws'))
  const headers = limited ? { ...always, ...ofLimits } : always
  return { ...describeSuccess(route, request, parts, headers), ...describeErrors(route, parts, limited) }
}

function describeSuccess(route: RouteContract, request: RequestContract, parts: Parts, headers: Json): Json {
  const { converter, components, name } = parts
  const status = String(request.status ?? 200)
  if (request.isFetch) return { default: { description: 'What the mounted handler answers', content: { '*/*': {} } } }
  if (request.servesFiles) return describeFiles(headers)
  if (status === '204' || status === '205') return { [status]: { description: 'Done', headers } }
  if (route.output === null) {
    if (request.contentType !== null)
      return { [status]: { description: 'Done', headers, content: toDeclaredContent(request.contentType) } }
    const any = { description: 'Done', headers, content: { '*/*': noted(undeclared) } }
    return { [status]: any, '204': { description: 'Done, without a result', headers } }
  }
  const document = converter.convert(route.output, 'output', 'draft-2020-12', `The output of route ${route.name}`)
  if (route.reply === 'value')
    return {
      [status]: {
        description: 'Done',
        headers,
        content: {
          ...toJsonContent(components.add(document, `${name}Output`)),
          ...(request.contentType !== null && toDeclaredContent(request.contentType)),
        },
      },
    }
  const item = components.add(document, `${name}OutputItem`)
  if (route.reply === 'stream')
    return { [status]: { description: 'Items, one after the other', headers, content: toStream(item) } }
  const page = {
    type: 'object',
    required: ['items', 'meta'],
    properties: {
      items: { type: 'array', items: item },
      meta: components.add({ schema: pageMeta, definitions: {} }, 'PageMeta'),
    },
  }
  const schema = components.add({ schema: page, definitions: {} }, `${name}Page`)
  return { [status]: { description: 'A page', headers, content: toJsonContent(schema) } }
}

const undeclared =
  'The route declares neither output nor http.contentType: it answers with JSON, or with text, bytes, a stream or a file'

/** Of text, bytes, a stream or a file. */
function toDeclaredContent(type: string): Json {
  const isText = /^text\/|[/+](?:json|xml|yaml)\b/.test(type)
  return { [type]: isText && !/json\b/.test(type) ? { schema: { type: 'string' } } : {} }
}

/** Of `staticFiles`, as RFC 9110 says. */
function describeFiles(headers: Json): Json {
  const text = { schema: { type: 'string' } }
  const ofFile = { ...headers, etag: text, 'last-modified': text, 'cache-control': text, 'accept-ranges': text }
  const content = { '*/*': noted('The type follows from the name of the file') }
  return {
    '200': { description: 'The file', headers: ofFile, content },
    '206': { description: 'A range of the file', headers: { ...ofFile, 'content-range': text }, content },
    '304': { description: 'The client has the file already', headers: ofFile },
    '308': { description: 'A folder: its path ends in a slash', headers: { ...headers, location: text } },
    '412': { description: 'A condition of the request is not met', headers },
    '416': { description: 'The range is beyond the end of the file', headers: { ...headers, 'content-range': text } },
  }
}

function toJsonContent(schema: Json): Json {
  return { 'application/json': { schema } }
}

function toStream(item: Json): Json {
  const text = { type: 'string' }
  return {
    'application/x-ndjson': {
      schema: text,
      'x-item-schema': item,
      ...noted('Each line is an item. After an error a last line is {"error":{"code","msg","details"}}'),
    },
    'text/event-stream': {
      schema: text,
      'x-item-schema': item,
      ...noted(
        'Each event has an item as its data. The last event is `end`, or `error` with {"error":{"code","msg","details"}}',
      ),
    },
  }
}

function describeErrors(route: RouteContract, { app, responses }: Parts, limited: boolean): Json {
  const errors = errorsOf(route, 'http', app)
  const statuses = [...new Set(errors.map(({ httpStatus }) => httpStatus))].toSorted((a, b) => a - b)
  return Object.fromEntries(
    statuses.map((status) => {
      const ofStatus = errors.filter(({ httpStatus }) => httpStatus === status)
      const codes = [...new Set(ofStatus.map(({ code }) => code))]
      const headers = {
        ...always,
        ...(limited && ofLimits),
        ...(status === 401 && { 'www-authenticate': reference('WwwAuthenticate') }),
        ...(status === 429 && { 'retry-after': reference('RetryAfter') }),
      }
      const response = {
        description: [...new Set(ofStatus.map(({ message }) => message))].join(' · '),
        headers,
        'x-error-codes': ofStatus.map(toRow),
      }
      return [String(status), responses.add(status, codes, response)]
    }),
  )
}

/** Answers of errors, each set of codes once: `components.responses`. */
export class ErrorResponses {
  readonly #components: SchemaComponents
  readonly #responses = new Map<string, Json>()
  readonly #names = new Map<string, string>()

  constructor(components: SchemaComponents) {
    this.#components = components
  }

  add(status: number, codes: readonly string[], response: Json): Json {
    const error = this.#components.add({ schema: toErrorData(codes), definitions: {} }, `Error${status}`)
    const envelope = { type: 'object', required: ['error'], properties: { error } }
    const schema = this.#components.add({ schema: envelope, definitions: {} }, `Error${status}Body`)
    const made = { ...response, content: { 'application/json': { schema } } }
    const text = JSON.stringify(made)
    const known = this.#names.get(text)
    if (known !== undefined) return { $ref: `#/components/responses/${known}` }
    let name = `Error${status}`
    for (let n = 2; this.#responses.has(name); n++) name = `Error${status}_${n}`
    this.#names.set(text, name)
    this.#responses.set(name, made)
    return { $ref: `#/components/responses/${name}` }
  }

  toJson(): Json {
    return Object.fromEntries(this.#responses)
  }
}
