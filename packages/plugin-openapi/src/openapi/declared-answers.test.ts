import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyEndpoint, AuthenticationError, type Plugin, reply, route, staticFiles } from '@twinwire/core'
import type { IdentifyOptions } from '@twinwire/core/plugin'
import { createTestApp } from '@twinwire/core/testing'
import * as v from 'valibot'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseJson } from '../everything.fixtures.ts'
import { openapi } from '../index.ts'
import { type Json, toNode } from '../schemas/node.ts'
import { lintAsyncApi, lintOpenApi } from '../validity.fixtures.ts'

async function describeApp(
  endpoints: readonly AnyEndpoint[],
  plugins: readonly Plugin[] = [],
): Promise<{ readonly http: Json; readonly websocket: Json }> {
  const call = route({ http: 'GET /call', input: v.object({}), output: v.number(), handler: () => 1 })
  const options = { pkgIds: { CALL: 1 }, routes: { CALL: call }, endpoints, plugins: [...plugins, openapi()] } as const
  const { request, close } = await createTestApp(options)
  onTestFinished(() => close())
  const read = async (path: string) => parseJson((await request(`GET ${path}`)).text)
  return { http: await read('/openapi.json'), websocket: await read('/asyncapi.json') }
}

const operationOf = (document: Json, path: string): Json => toNode(toNode(toNode(document['paths'])[path])['get'])
const answersOf = (document: Json, path: string): Json => toNode(operationOf(document, path)['responses'])
const contentOf = (document: Json, path: string): Json => toNode(toNode(answersOf(document, path)['200'])['content'])

describe('an answer that is not JSON', () => {
  it('has the content type that its route declares; without one a note says that it is not known', async () => {
    const http = (name: string, contentType: string) => ({ route: `GET /${name}` as 'GET /any', contentType })
    const { http: document } = await describeApp([
      route({ http: http('csv', 'text/csv; charset=utf-8'), access: 'public', handler: () => reply.text('a') }),
      route({ http: http('pdf', 'application/pdf'), access: 'public', handler: () => reply.stream(['a']) }),
      route({
        http: http('events', 'text/event-stream'),
        access: 'public',
        handler: () => reply.events([{ data: 1 }]),
      }),
      route({
        http: http('both', 'text/csv'),
        access: 'public',
        output: v.string(),
        handler: () => reply.text('a'),
      }),
      route({ http: 'GET /unknown', access: 'public', handler: () => reply.text('a') }),
    ])
    const text = { schema: { type: 'string' } }
    expect(contentOf(document, '/csv')).toEqual({ 'text/csv; charset=utf-8': text })
    expect(contentOf(document, '/pdf')).toEqual({ 'application/pdf': {} })
    expect(contentOf(document, '/events')).toEqual({ 'text/event-stream': text })
    expect(contentOf(document, '/both')).toMatchObject({ 'application/json': text, 'text/csv': text })
    expect(JSON.stringify(contentOf(document, '/unknown'))).toContain('neither output nor http.contentType')
    expect(contentOf(document, '/openapi.json')).toEqual({ 'application/json': {} })
    expect(contentOf(document, '/docs')).toEqual({ 'text/html; charset=utf-8': text })
    expect(await lintOpenApi(document)).toEqual([])
  })

  it('is a file, a range of it, or that it is known already', async () => {
    const root = await mkdtemp(join(tmpdir(), 'twinwire-files-'))
    onTestFinished(() => rm(root, { recursive: true }))
    await writeFile(join(root, 'a.txt'), 'a')
    const { http } = await describeApp([staticFiles({ root, prefix: '/files', access: 'public' })])
    const answers = answersOf(http, '/files/{rest}')
    expect(Object.keys(answers)).toEqual(expect.arrayContaining(['200', '206', '304', '308', '404', '412', '416']))
    expect(Object.keys(toNode(toNode(answers['206'])['headers']))).toEqual(
      expect.arrayContaining(['etag', 'last-modified', 'content-range', 'x-correlation-id']),
    )
    expect(await lintOpenApi(http)).toEqual([])
  })
})

describe('credentials', () => {
  const challenge = { headers: { 'www-authenticate': 'Bearer realm="app"' } }
  const identify = (options: IdentifyOptions): Plugin => ({
    name: 'identify',
    setup: (host) => host.identify(() => null, options),
  })
  const namesOf = (document: Json): readonly string[] =>
    Object.keys(toNode(toNode(document['components'])['securitySchemes']))

  it('in cookies are a scheme each, of which a caller needs one', async () => {
    const { http, websocket } = await describeApp([], [identify({ credentialCookies: ['__Host-session', 'old'] })])
    expect(toNode(toNode(http['components'])['securitySchemes'])).toEqual({
      cookie: { type: 'apiKey', in: 'cookie', name: '__Host-session' },
      cookie2: { type: 'apiKey', in: 'cookie', name: 'old' },
    })
    expect(operationOf(http, '/call')['security']).toEqual([{ cookie: [] }, { cookie2: [] }])
    expect(toNode(toNode(websocket['components'])['securitySchemes'])).toEqual({
      cookie: { type: 'httpApiKey', in: 'cookie', name: '__Host-session' },
      cookie2: { type: 'httpApiKey', in: 'cookie', name: 'old' },
    })
    expect(toNode(toNode(websocket['operations'])['Call'])['security']).toEqual([
      { $ref: '#/components/securitySchemes/cookie' },
      { $ref: '#/components/securitySchemes/cookie2' },
    ])
    expect(await lintOpenApi(http)).toEqual([])
    expect(await lintAsyncApi(websocket)).toEqual([])
  })

  it('are a bearer token without cookies, and both where the error of a missing one names its scheme', async () => {
    const bearer = await describeApp([], [identify({})])
    expect(operationOf(bearer.http, '/call')['security']).toEqual([{ bearer: [] }])
    const missing = () => new AuthenticationError('Sign in', challenge)
    const both = await describeApp([], [identify({ missing, credentialCookies: ['token'] })])
    expect(operationOf(both.http, '/call')['security']).toEqual([{ bearer: [] }, { cookie: [] }])
  })

  it('of a handshake are described once', async () => {
    const handshake: Plugin = {
      name: 'handshake',
      setup: (host) => host.controlFrame('auth', () => ({}), { credentialCookies: ['token'] }),
    }
    const { websocket } = await describeApp([], [identify({ credentialCookies: ['token'] }), handshake])
    expect(namesOf(websocket)).toEqual(['cookie'])
    expect(namesOf((await describeApp([], [identify({}), handshake])).http)).toEqual(['cookie'])
  })
})
