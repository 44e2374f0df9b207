import type { AppContract, RouteContract } from '@twinwire/core/plugin'
import { SchemaComponents } from '../schemas/components.ts'
import type { SchemaConverter } from '../schemas/json-schema.ts'
import type { Json } from '../schemas/node.ts'
import { toErrorTable } from '../shared/errors.ts'
import { toAlternatives, toFacts, toSchemeComponents, toSecuritySchemes, toTag } from '../shared/facts.ts'
import type { DocumentInfo } from '../shared/info.ts'
import { OperationNames } from '../shared/names.ts'
import { toShape, toTemplate } from './path.ts'
import { describeRequest } from './request.ts'
import { describeResponses, ErrorResponses, headerComponents } from './responses.ts'

/** Methods that a path item of OpenAPI 3.1 has. */
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

/** The HTTP side of an app as OpenAPI 3.1. */
export function createOpenApiDocument(app: AppContract, converter: SchemaConverter, info: DocumentInfo): Json {
  const components = new SchemaComponents()
  const parts = { app, converter, components, responses: new ErrorResponses(components), names: new OperationNames() }
  const paths = new Paths()
  const served = app.routes.filter(({ request }) => request !== null)
  for (const route of served) {
    if (route.request === null) continue
    const { template } = toTemplate(route.request.path)
    // A mounted handler takes every method; a description names them.
    const ofRoute = route.request.isFetch
      ? ['get', 'put', 'post', 'delete', 'patch']
      : [route.request.method.toLowerCase()]
    for (const method of ofRoute) paths.add(template, method, describeOperation(route, method, parts))
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: info.info,
    ...(info.servers.length > 0 && { servers: info.servers }),
    tags: toTags(served),
    paths: paths.toJson(),
    components: {
      schemas: components.toJson(),
      responses: parts.responses.toJson(),
      headers: headerComponents,
      ...toSchemeComponents(toSecuritySchemes(app, 'apiKey')),
    },
    'x-error-codes': toErrorTable(app),
    'x-websocket-path': app.websocket.path,
  }
}

/** By name; what is for operators comes last. */
function toTags(routes: readonly RouteContract[]): readonly Json[] {
  const tags = [...new Set(routes.map(toTag))].toSorted()
  const isLast = (tag: string): boolean => tag === 'operations'
  return [...tags.filter((tag) => !isLast(tag)), ...tags.filter(isLast)].map((name) => ({ name }))
}

interface Parts {
  readonly app: AppContract
  readonly converter: SchemaConverter
  readonly components: SchemaComponents
  readonly responses: ErrorResponses
  readonly names: OperationNames
}

function describeOperation(route: RouteContract, method: string, parts: Parts): Json {
  const { request, summary } = route
  if (request === null) return {}
  const name = parts.names.add(request.isFetch ? `${method} ${request.path}` : route.name)
  const { parameters, body, notes } = describeRequest(route, request, { ...parts, name })
  const hasBody = body !== null && !(request.isFetch && (method === 'get' || method === 'delete'))
  return {
    operationId: name,
    tags: [toTag(route)],
    ...(summary !== '' && { summary }),
    ...toFacts(route),
    ...(parameters.length > 0 && { parameters }),
    ...(hasBody && { requestBody: body }),
    responses: describeResponses(route, request, { ...parts, name }),
    security: toSecurity(route, parts.app),
    ...(notes.length > 0 && { 'x-notes': notes }),
  }
}

/** Of the alternatives one is needed; an empty one is a caller without credentials. */
function toSecurity({ identity, steps }: RouteContract, app: AppContract): readonly Json[] {
  const schemes = toSecuritySchemes(app, 'apiKey')
  if (schemes.length === 0 || identity === 'none') return []
  const alternatives = toAlternatives(steps).flatMap((needed) => schemes.map(({ name }) => ({ [name]: needed })))
  return identity === 'optional' ? [{}, ...alternatives] : alternatives
}

/** Path items. What OpenAPI has no place for is in `x-additional-operations`, by method and path. */
class Paths {
  readonly #items = new Map<string, Record<string, unknown>>()
  readonly #templates = new Map<string, string>()

  add(template: string, method: string, operation: Json): void {
    const known = this.#templates.get(toShape(template))
    const name = known ?? template
    this.#templates.set(toShape(template), name)
    const item = this.#items.get(name) ?? {}
    this.#items.set(name, item)
    const renamed = name === template ? operation : renameParameters(operation, template, name)
    if (methods.includes(method) && item[method] === undefined) {
      item[method] = renamed
      return
    }
    const others = item['x-additional-operations']
    item['x-additional-operations'] = {
      ...(typeof others === 'object' ? others : {}),
      [`${method.toUpperCase()} ${template}`]: operation,
    }
  }

  toJson(): Json {
    return Object.fromEntries([...this.#items].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** Two routes of one path may call its parameters differently; OpenAPI has one name for each. */
function renameParameters(operation: Json, template: string, known: string): Json {
  const from = toNames(template)
  const to = toNames(known)
  const { parameters } = operation
  if (!Array.isArray(parameters)) return operation
  const renamed = parameters.map((parameter: Json) => {
    if (parameter['in'] !== 'path') return parameter
    const at = from.indexOf(String(parameter['name']))
    return at === -1 ? parameter : { ...parameter, name: to[at], 'x-name': parameter['name'] }
  })
  return { ...operation, parameters: renamed }
}

function toNames(template: string): readonly string[] {
  return [...template.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name)
}
