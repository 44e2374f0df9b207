// The model of an app that has one of everything, read from its own documents.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseJson, startEverything } from '../../../everything.fixtures.ts'
import { buildModel } from './build-model.ts'
import { toManifest } from './manifest.ts'
import { type Model, missingOf, type Operation, sayDemands } from './model.ts'
import { kindOf, propertiesOf } from './schema.ts'

let model: Model
let manifest: Awaited<ReturnType<typeof startEverything>>['app'] extends { manifest(): infer M } ? M : never
let close = async (): Promise<void> => {}

beforeAll(async () => {
  const started = await startEverything()
  close = () => started.close()
  const read = async (path: string) => parseJson((await started.request(`GET ${path}`)).text)
  model = buildModel(await read('/openapi.json'), await read('/asyncapi.json'))
  manifest = started.app.manifest()
})
afterAll(() => close())

const operation = (name: string): Operation => {
  const found = model.operations.find((each) => each.name === name)
  if (found === undefined) throw new Error(`There is no ${name}`)
  return found
}
const names = (name: string, side: 'overHttp' | 'ws'): readonly string[] => {
  const input = operation(name)[side]?.input
  return input ? propertiesOf(input).map((each) => each.name) : []
}

describe('the model of an app', () => {
  it('makes the manifest that the app itself writes', () => {
    const made = toManifest(model)
    const routes = Object.fromEntries(Object.keys(manifest.routes).map((name) => [name, made.routes[name]]))
    expect({ ...made, routes }).toEqual(manifest)
  })

  it('a route of both wires is one operation, whose inputs differ', () => {
    expect(model.operations.filter(({ name }) => name === 'LIST')).toHaveLength(1)
    expect(names('LIST', 'overHttp')).toEqual(['tags', 'search'])
    expect(names('PAY', 'overHttp')).toEqual(['id', 'dry_run', 'amount', 'token'])
    expect(operation('PAY').overHttp?.query).toEqual(['dry_run'])
    expect(operation('OLD')).toMatchObject({ deprecated: true, http: null, overHttp: null, pkgId: 7 })
  })

  it('says what a form cannot send', () => {
    expect(operation('POST /photos').overHttp?.unsent).toContain('multipart/form-data')
    expect(operation('POST /raw').overHttp?.unsent).not.toBeNull()
    expect(operation('GET /authors/:id')).toMatchObject({ ws: null, overHttp: { unsent: null } })
  })

  it('has requests of methods that OpenAPI does not know', () => {
    expect(operation('PURGE /cache/:key').http).toBe('PURGE /cache/:key')
  })

  it('a page, a stream, limits, errors', () => {
    expect(operation('PAGES').reply).toBe('page')
    expect(operation('COUNT').reply).toBe('stream')
    expect(operation('PAY')).toMatchObject({ ordered: true, deadlineMs: 5000, access: 'public' })
    expect(operation('PAY').rateLimits).toContain('10 calls in 60 s, for each identity')
    expect(operation('PAY').errors).toContainEqual(
      expect.objectContaining({ code: 'billing.card_declined', httpStatus: 402 }),
    )
  })

  it('events, topics, frames, close codes', () => {
    expect(model.events.map(({ name, answer }) => [name, answer !== null])).toEqual([
      ['CREATED', false],
      ['CONFIRM', true],
    ])
    expect(model.topics).toMatchObject([{ pattern: 'authors:{id}', presence: true, history: 'the last 10, for 60 s' }])
    expect(model.frames.map(({ name }) => name)).toContain('subscribe')
    expect(model.closes.length).toBeGreaterThan(5)
    expect(model.address).toBe('/ws')
  })

  it('says which roles lack', () => {
    const { demands } = operation('PAGES')
    expect(sayDemands(demands)).toBe('one of read, admin')
    expect(missingOf(demands, ['admin'])).toBeNull()
    expect(missingOf(demands, [])).toEqual({ roles: [], oneOf: [['read', 'admin']] })
    expect(missingOf(operation('LIST').demands, ['write'])).toEqual({ roles: ['read'], oneOf: [] })
  })

  it('variants of an input are there', () => {
    const input = operation('RENAME').ws?.input
    expect(input && kindOf(input)).toBe('choice')
  })

  it('a route that is once() has no field for its key, and the client sends one', () => {
    const operation = {
      'x-route': 'PAY',
      'x-http': 'POST /pay',
      'x-once': { retention_ms: 1, required: true },
      parameters: [{ name: 'Idempotency-Key', in: 'header', required: true, schema: { type: 'string' } }],
    }
    const paid = buildModel({ paths: { '/pay': { post: operation } } }, null)
    expect(paid.operations[0]?.overHttp?.input).toBeNull()
    expect(toManifest(paid).routes['PAY']).toMatchObject({ once: true, http: 'POST /pay' })
  })

  it('one document is enough, and none is an empty app', () => {
    expect(buildModel(null, null)).toMatchObject({ title: 'API', operations: [], address: null })
  })
})
