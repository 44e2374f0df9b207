import type { AppContract, RequestContract, RouteContract } from '@twinwire/core/plugin'
import type { SchemaComponents } from '../schemas/components.ts'
import type { SchemaConverter, SchemaDocument } from '../schemas/json-schema.ts'
import { type Json, noted } from '../schemas/node.ts'
import { readMapped } from './mapped-input.ts'
import { toTemplate } from './path.ts'
import { pick, readTopLevel, type TopLevel } from './top-level.ts'

/** What an operation says of its request. */
export interface DescribedRequest {
  readonly parameters: readonly Json[]
  readonly body: Json | null
  /** What is not described. */
  readonly notes: readonly string[]
}

interface Parts {
  readonly app: AppContract
  readonly converter: SchemaConverter
  readonly components: SchemaComponents
  /** The name of the operation. */
  readonly name: string
}

const parameterTypes: Readonly<Record<string, Json>> = {
  int: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  bigint: { type: 'string', pattern: String.raw`^-?\d+$` },
  date: { type: 'string', anyOf: [{ format: 'date-time' }, { format: 'date' }] },
}

export function describeRequest(route: RouteContract, request: RequestContract, parts: Parts): DescribedRequest {
  const { converter, name } = parts
  const notes: string[] = []
  const document: SchemaDocument | null =
    route.input === null || request.isFetch
      ? null
      : converter.convert(route.input, 'input', 'draft-2020-12', `The input of route ${route.name}`)
  const keys = document === null ? null : readTopLevel(document)
  const mapped = request.map === null ? null : readMapped(request.map, keys)
  const input = request.map === null ? keys : mapped
  if (request.map !== null && mapped === null)
    notes.push('http.input of the route builds the input, so that its query or body is not described here')
  const definitions = document?.definitions ?? {}
  const path = toTemplate(request.path).parameters
  const pathNames = path.map((each) => each.name)
  const ofInput = (key: string): Json =>
    input?.properties[key] ?? parameterTypes[request.params[key] ?? ''] ?? { type: 'string' }
  const parameter = (key: string, where: 'path' | 'query', more: Json): Json => {
    const { description, deprecated, ...schema } = ofInput(key)
    return {
      name: key,
      in: where,
      ...(where === 'path' ? { required: true } : input?.required.has(key) === true && { required: true }),
      ...(description !== undefined && { description }),
      ...(deprecated === true && { deprecated }),
      ...more,
      schema: parts.components.add({ schema, definitions }, `${name}${where === 'path' ? 'Path' : 'Query'}${key}`),
    }
  }
  const ofPath = path.map(({ name: key, isWildcard }) =>
    parameter(key, 'path', isWildcard ? noted('The rest of the path, with its slashes') : {}),
  )
  const queryNames = readQueryNames(request, input, pathNames)
  const ofQuery = queryNames.map((key) => parameter(key, 'query', {}))
  const body = request.hasBody
    ? describeBody(route, request, { ...parts, document, input, others: [...pathNames, ...queryNames], notes })
    : null
  if (
    !takesBodyAsInput(request) &&
    document !== null &&
    input === null &&
    request.map === null &&
    pathNames.length === 0
  )
    notes.push('The keys of the query are not described')
  return { parameters: [...ofPath, ...ofQuery, ...toKeyHeader(route)], body, notes }
}

/** By which a call is repeated. */
function toKeyHeader({ once }: RouteContract): readonly Json[] {
  if (once === null) return []
  const description =
    'Chosen by the client, a UUID or another string: a request that is repeated with it has one effect, and gets the response of the first one'
  const schema = { type: 'string', minLength: 1, maxLength: 255 }
  return [{ name: 'Idempotency-Key', in: 'header', ...(once.required && { required: true }), description, schema }]
}

function takesBodyAsInput({ hasBody, streamed, multipart }: RequestContract): boolean {
  return hasBody && (streamed === null || multipart !== null)
}

function readQueryNames(request: RequestContract, input: TopLevel | null, path: readonly string[]): readonly string[] {
  if (takesBodyAsInput(request)) return request.query
  const known = [...Object.keys(input?.properties ?? {}), ...Object.keys(request.params)]
  return [...new Set(known)].filter((key) => !path.includes(key))
}

interface BodyParts extends Parts {
  readonly document: SchemaDocument | null
  readonly input: TopLevel | null
  /** Keys of path and query. */
  readonly others: readonly string[]
  readonly notes: string[]
}

function describeBody(route: RouteContract, request: RequestContract, parts: BodyParts): Json | null {
  const { raw, isFetch, streamed, multipart, maxBodyBytes } = request
  const limits = { 'x-max-body-bytes': maxBodyBytes }
  if (raw) return { required: false, content: { '*/*': noted('Bytes of any type') }, ...limits }
  if (streamed !== null && multipart === null) {
    const note = isFetch ? 'As the mounted handler takes it' : 'Read as it arrives, of any type'
    return { content: { '*/*': noted(note) }, ...limits, 'x-body-timeout-ms': streamed.timeoutMs }
  }
  if (multipart !== null) {
    const fields = parts.input === null ? { type: 'object' } : describeFields(parts.input, parts)
    const file = { type: 'string', contentMediaType: 'application/octet-stream' }
    const schema = { ...fields, additionalProperties: { anyOf: [file, { type: 'array', items: file }] } }
    const written = parts.components.add(
      { schema, definitions: parts.document?.definitions ?? {} },
      `${parts.name}Form`,
    )
    return {
      required: true,
      content: { 'multipart/form-data': { schema: written, ...noted('Fields come before files') } },
      ...limits,
      'x-body-timeout-ms': streamed?.timeoutMs ?? 0,
      'x-files': multipart,
    }
  }
  return route.input === null && request.map === null ? null : { ...describeInput(request, parts), ...limits }
}

function describeFields(input: TopLevel, { others }: BodyParts): Json {
  const keys = Object.keys(input.properties).filter((key) => !others.includes(key))
  return pick(input, keys, true)
}

/** A body that is, or is a part of, the input: JSON, or a form. */
function describeInput(request: RequestContract, parts: BodyParts): Json {
  const { app, document, input, others, components, name } = parts
  const opens = app.unknownKeys === 'ignore'
  if (input === null) {
    const schema = document === null || request.map !== null ? {} : components.add(document, `${name}Input`)
    return { required: true, content: { 'application/json': { schema } } }
  }
  const keys = Object.keys(input.properties).filter((key) => !others.includes(key))
  const isWhole = document !== null && request.map === null && others.length === 0 && !(opens && input.isClosed)
  const schema = isWhole
    ? components.add(document, `${name}Input`)
    : components.add({ schema: pick(input, keys, opens), definitions: document?.definitions ?? {} }, `${name}Body`)
  if (!isWhole && !input.isExact && request.map === null)
    parts.notes.push(
      'The input is one of several objects: of their keys those of the path and the query are not in the body',
    )
  const content = { schema }
  return {
    required: keys.some((key) => input.required.has(key)),
    content: { 'application/json': content, 'application/x-www-form-urlencoded': content },
  }
}
