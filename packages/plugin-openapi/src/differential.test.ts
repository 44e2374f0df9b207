import { type AnyRoute, route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, it } from 'vitest'
import { parseJson } from './everything.fixtures.ts'
import { openapi } from './openapi-plugin.ts'
import { inputsOf, type Sample, samples } from './schema-generator.fixtures.ts'
import { isRecord, type Json, toNode } from './schemas/node.ts'
import { createValidator } from './validity.fixtures.ts'

/** By hand: DIFFERENTIAL_INPUTS=10000 */
const count = Number(process.env['DIFFERENTIAL_INPUTS'] ?? 1500)
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? 18)
const perRoute = 15

/** Where the description and the server may differ, and why. */
const exceptions: readonly {
  readonly name: string
  fits(input: unknown, schema: Json, isAccepted: boolean): boolean
}[] = [
  {
    name: 'what JSON Schema cannot say is noted',
    fits: (_input, schema, isAccepted) => !isAccepted && JSON.stringify(schema).includes('"x-note"'),
  },
  {
    name: 'JavaScript counts characters beyond the Basic Multilingual Plane twice',
    fits: (input) => /[\u{10000}-\u{10ffff}]/u.test(JSON.stringify(input)),
  },
  {
    name: 'valibot takes an array for an object',
    fits: (input, schema, isAccepted) =>
      isAccepted && hasArray(input) && JSON.stringify(schema).includes('"type":"object"'),
  },
  {
    name: 'whether a number beyond 2^53 is a multiple is a matter of rounding',
    fits: (input, schema) =>
      /e[+]\d|\d{16}/.test(JSON.stringify(input)) && JSON.stringify(schema).includes('"multipleOf"'),
  },
  {
    name: 'keys that could pollute prototypes are refused everywhere',
    fits: (input, _schema, isAccepted) => !isAccepted && /"(?:__proto__|constructor)":/.test(JSON.stringify(input)),
  },
]

it('accepts and refuses what the description says, for generated schemas and inputs', async () => {
  const routeCount = Math.ceil(count / perRoute)
  const generated: readonly Sample[] = fc.sample(samples, { numRuns: routeCount, seed })
  const routes: Record<string, AnyRoute> = {}
  const pkgIds: Record<string, number> = {}
  for (const [i, { schema }] of generated.entries()) {
    const name = `R${i}`
    pkgIds[name] = i + 1
    routes[name] = route({ http: `POST /r${i}`, input: v.object({ value: schema }), handler: () => 'taken' })
  }
  const test = await createTestApp({ pkgIds, routes, plugins: [openapi()] })
  const document = parseJson((await test.request('GET /openapi.json')).text)
  const validator = createValidator(document)
  const wrong: string[] = []
  let taken = 0
  for (const [i, each] of generated.entries()) {
    const schema = bodyOf(document, `/r${i}`)
    const isValid = validator(schema)
    const resolved = withComponents(schema, document)
    for (const value of fc.sample(inputsOf(each), { numRuns: perRoute, seed: seed + i })) {
      const input = { value }
      const { status, text } = await test.request(`POST /r${i}`, { json: input })
      const sent: unknown = JSON.parse(JSON.stringify(input))
      const isAccepted = status === 200
      if (isAccepted) taken++
      if (isAccepted === isValid(sent)) continue
      if (exceptions.some(({ fits }) => fits(sent, resolved, isAccepted))) continue
      wrong.push(
        `${JSON.stringify(schema)} of ${JSON.stringify(resolved).slice(0, 600)}: ${JSON.stringify(input)} got ${status} ${text}`,
      )
    }
  }
  await test.close()
  expect(wrong.slice(0, 8)).toEqual([])
  expect(taken).toBeGreaterThan(count / 4)
}, 120_000)

function hasArray(input: unknown): boolean {
  return isRecord(input) ? Object.values(input).some(hasArray) : Array.isArray(input)
}

function bodyOf(document: Json, path: string): Json {
  const { requestBody } = toNode(toNode(toNode(document['paths'])[path])['post'])
  return toNode(toNode(toNode(toNode(requestBody)['content'])['application/json'])['schema'])
}

/** The schema with all components that it refers to: notes may be in any of them. */
function withComponents(schema: Json, document: Json): Json {
  const schemas = toNode(toNode(document['components'])['schemas'])
  const found: Record<string, unknown> = {}
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    if (!isRecord(value)) return
    const name = String(value['$ref'] ?? '').replace('#/components/schemas/', '')
    if (name !== '' && !(name in found)) {
      found[name] = schemas[name]
      visit(schemas[name])
    }
    Object.values(value).forEach(visit)
  }
  visit(schema)
  return { schema, found }
}
