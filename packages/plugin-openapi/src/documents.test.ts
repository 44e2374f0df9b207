import { disconnects } from '@twinwire/core'
import { createTestApp, type LogLine } from '@twinwire/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseJson, startEverything } from './everything.fixtures.ts'
import { openapi } from './openapi-plugin.ts'
import { type Json, toNode } from './schemas/node.ts'
import { findWrongExamples, lintAsyncApi, lintOpenApi } from './validity.fixtures.ts'

/** Both linters take seconds, and more on a busy machine. */
const lintTimeoutMs = 180_000

let openApi: Json
let asyncApi: Json
let logs: () => readonly LogLine[]
let close = async (): Promise<void> => {}

beforeAll(async () => {
  const test = await startEverything({ servers: [{ url: 'https://api.example.com/v1' }] })
  close = () => test.close()
  logs = () => test.logs
  openApi = parseJson((await test.request('GET /openapi.json')).text)
  asyncApi = parseJson((await test.request('GET /asyncapi.json')).text)
})
afterAll(() => close())

async function startDescribed(): Promise<Json> {
  const test = await createTestApp({ pkgIds: {}, routes: {}, plugins: [openapi()] })
  const text = (await test.request('GET /asyncapi.json')).text
  await test.close()
  return parseJson(text)
}

describe('the documents', () => {
  it(
    'are valid for the linter of Redocly and the parser of AsyncAPI',
    async () => {
      expect(await lintOpenApi(openApi)).toEqual([])
      expect(await lintAsyncApi(asyncApi)).toEqual([])
      expect([...findWrongExamples(openApi), ...findWrongExamples(asyncApi)]).toEqual([])
      expect(logs().filter(({ level }) => level === 'warn')).toEqual([])
    },
    lintTimeoutMs,
  )

  it(
    'would not be valid with a wrong type, a missing parameter, an unknown reference or a wrong example',
    async () => {
      const broken = (from: string, to: string, document: Json): Json => {
        const text = JSON.stringify(document)
        expect(text).toContain(from)
        return parseJson(text.replace(from, to))
      }
      expect(await lintOpenApi(broken('"type":"object"', '"type":"objekt"', openApi))).not.toEqual([])
      expect(await lintOpenApi(broken('"name":"to","in":"path"', '"name":"of","in":"path"', openApi))).not.toEqual([])
      expect(
        await lintOpenApi(broken('#/components/schemas/Author', '#/components/schemas/Missing', openApi)),
      ).not.toEqual([])
      const small = await startDescribed()
      expect(await lintAsyncApi(small)).toEqual([])
      expect(await lintAsyncApi(broken('"action":"receive"', '"action":"take"', small))).not.toEqual([])
      expect(await lintAsyncApi(broken('"type":"object"', '"type":"objekt"', small))).not.toEqual([])
      expect(findWrongExamples(broken('"examples":[12.5]', '"examples":[-1]', openApi))).not.toEqual([])
    },
    lintTimeoutMs,
  )

  it('describe wildcards, other methods and mounted handlers, each in its place', () => {
    const paths = toNode(openApi['paths'])
    expect(Object.keys(toNode(paths['/legacy/{rest}']))).toEqual(['get', 'put', 'post', 'delete', 'patch'])
    expect(toNode(toNode(paths['/files/{path}'])['get'])['parameters']).toMatchObject([
      { name: 'path', in: 'path', required: true },
    ])
    const cache = toNode(paths['/cache/{key}'])
    expect(Object.keys(toNode(cache['x-additional-operations']))).toEqual(['PURGE /cache/{key}'])
    expect(toNode(cache['delete'])['parameters']).toMatchObject([{ name: 'key', 'x-name': 'name' }])
  })

  it('describe bodies of every kind', () => {
    const contents = ['/raw', '/upload/{album}', '/photos', '/trees'].map((path) => {
      const operation = Object.values(toNode(toNode(openApi['paths'])[path])).map(toNode)[0]
      return Object.keys(toNode(toNode(operation?.['requestBody'])['content']))
    })
    expect(contents).toEqual([
      ['*/*'],
      ['*/*'],
      ['multipart/form-data'],
      ['application/json', 'application/x-www-form-urlencoded'],
    ])
  })

  it('describe a stream as two kinds of text, and as items and an end', () => {
    const count = toNode(toNode(toNode(openApi['paths'])['/count/{to}'])['get'])
    const { content } = toNode(toNode(count['responses'])['200'])
    expect(Object.keys(toNode(content))).toEqual(['application/x-ndjson', 'text/event-stream'])
    const { reply } = toNode(toNode(asyncApi['operations'])['Count'])
    expect(JSON.stringify(toNode(reply)['messages'])).toMatch(/CountItem.*CountEnd.*CountError1/)
  })

  it('name roles as security, alternatives for one of several', () => {
    const security = (path: string, method: string): unknown =>
      toNode(toNode(toNode(openApi['paths'])[path])[method])['security']
    expect(security('/authors', 'get')).toEqual([{ bearer: ['read'] }])
    expect(security('/authors/pages', 'get')).toEqual([{ bearer: ['read'] }, { bearer: ['admin'] }])
    expect(security('/bills/{id}/payments', 'post')).toEqual([{}, { bearer: [] }])
    expect(security('/count/{to}', 'get')).toEqual([])
  })

  it('read what http.input renames', () => {
    const { parameters } = toNode(toNode(toNode(openApi['paths'])['/authors'])['get'])
    expect(parameters).toMatchObject([
      { name: 'tags', in: 'query' },
      { name: 'search', in: 'query', schema: { type: 'string' } },
    ])
  })

  it('have the close codes, the topics and the limits of the channel', () => {
    const { websocket } = toNode(asyncApi['channels'])
    expect(toNode(websocket)).toMatchObject({
      'x-close-codes': Object.values(disconnects),
      'x-topics': [{ pattern: 'authors:{id}', subscribe: true, history: { size: 10, ttlMs: 60_000 }, presence: true }],
      'x-limits': { max_message_bytes: 262_144, max_in_flight: 64, max_topics: 128 },
    })
  })
})
