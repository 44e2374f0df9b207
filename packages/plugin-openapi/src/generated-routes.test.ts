import { type AnyEvent, type AnyRoute, event, type Plugin, page, pageOf, route, stream } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, it } from 'vitest'
import { parseJson } from './everything.fixtures.ts'
import { openapi } from './openapi-plugin.ts'
import { type Sample, samples } from './schema-generator.fixtures.ts'
import { type Json, toNode } from './schemas/node.ts'
import { createValidator, lintAsyncApi, lintOpenApi } from './validity.fixtures.ts'

/** Of all of them together. The parser of AsyncAPI takes minutes for a large document, so each app has a few. */
const routeCount = 300
const perApp = 5
/** By hand: ASYNCAPI_APPS=60, all of them. */
const parsedApps = Number(process.env['ASYNCAPI_APPS'] ?? 1)

interface Generated {
  readonly input: Sample
  readonly output: Sample
  readonly method: string
  readonly reply: string
  readonly hasPath: boolean
  readonly summary: string
  readonly deprecated: boolean
  readonly status: number
}

const generated: fc.Arbitrary<Generated> = fc.record({
  input: samples,
  output: samples,
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'),
  reply: fc.constantFrom('value', 'page', 'stream', 'none'),
  hasPath: fc.boolean(),
  summary: fc.string({ maxLength: 20 }),
  deprecated: fc.boolean(),
  status: fc.constantFrom(200, 201, 202),
})

it('describes 300 generated routes and their events validly', async () => {
  const random = fc.sample(generated, { numRuns: routeCount, seed: 18 })
  for (let at = 0; at < routeCount; at += perApp) {
    const { openApi, asyncApi } = await describeRoutes(random.slice(at, at + perApp))
    expect([at, await lintOpenApi(openApi)]).toEqual([at, []])
    if (at < parsedApps * perApp) expect([at, await lintAsyncApi(asyncApi)]).toEqual([at, []])
    compileAll(openApi)
    compileAll(asyncApi)
  }
}, 300_000)

/** Throws for a schema that no validator could use. */
function compileAll(document: Json): void {
  const validator = createValidator(document)
  for (const name of Object.keys(toNode(toNode(document['components'])['schemas'])))
    validator({ $ref: `#/components/schemas/${name}` })
}

async function describeRoutes(
  random: readonly Generated[],
): Promise<{ readonly openApi: Json; readonly asyncApi: Json }> {
  const routes: Record<string, AnyRoute> = {}
  const events = new Map<AnyEvent, number>()
  const pkgIds: Record<string, number> = {}
  for (const [i, { input, output, method, reply, hasPath, summary, deprecated, status }] of random.entries()) {
    const name = `ROUTE_${i}`
    pkgIds[name] = i + 1
    const path: `/${string}` = hasPath ? `/r${i}/:key` : `/r${i}`
    const common = {
      summary,
      deprecated,
      http: { route: toRoute(method, path), status },
      input: v.object({ key: v.string(), value: input.schema }),
    }
    const { schema } = output
    if (reply === 'page')
      routes[name] = route({
        ...common,
        output: pageOf(schema),
        handler: () => page([], { page: 1, per_page: 1, total: 0 }),
      })
    else if (reply === 'stream') routes[name] = route({ ...common, output: stream(schema), handler: () => [] })
    else if (reply === 'value') routes[name] = route({ ...common, output: schema, handler: () => null })
    else routes[name] = route({ ...common, handler: () => null })
    if (i % 5 > 0) continue
    events.set(event({ data: schema }), 1000 + i)
  }
  const test = await createTestApp({ pkgIds, routes, plugins: [openapi(), declares(events)] })
  const openApi = parseJson((await test.request('GET /openapi.json')).text)
  const asyncApi = parseJson((await test.request('GET /asyncapi.json')).text)
  await test.close()
  return { openApi, asyncApi }
}

function toRoute(method: string, path: `/${string}`): `${Uppercase<string>} /${string}` {
  return method === 'QUERY'
    ? `QUERY ${path}`
    : method === 'POST'
      ? `POST ${path}`
      : method === 'PUT'
        ? `PUT ${path}`
        : method === 'PATCH'
          ? `PATCH ${path}`
          : method === 'DELETE'
            ? `DELETE ${path}`
            : `GET ${path}`
}

function declares(events: ReadonlyMap<AnyEvent, number>): Plugin<void> {
  return {
    name: 'events',
    setup(host) {
      for (const [each, pkgId] of events) host.event(`EVENT_${pkgId}`, each, { pkgId })
    },
  }
}
