import * as v from 'valibot'
import { afterEach, describe, expect, test } from 'vitest'
import { reply, route } from '../index.ts'
import { onTransports } from '../testing.ts'

const ById = v.object({ id: v.string(), soft: v.optional(v.boolean()) })
const Search = v.object({ text: v.optional(v.string()), limit: v.optional(v.number()) })

const read = route({ http: 'GET /cache/:id', input: v.object({ id: v.string() }), handler: ({ id }) => `<${id}>` })
const purge = route({ http: 'PURGE /cache/:id', input: ById, handler: (input) => input })
const search = route({ http: 'QUERY /search', input: Search, handler: (input) => input })
const post = route({ http: 'POST /search', input: Search, handler: (input) => input })
const find = route({
  http: { route: 'PROPFIND /files/:id', body: 'raw', status: 207 },
  input: v.object({ id: v.string(), body: v.instance(Uint8Array) }),
  handler: ({ id, body }) => reply.text(`${id}: ${Buffer.from(body).toString()}`),
})
const options = route({
  http: 'OPTIONS /files/:id',
  input: v.object({ id: v.string() }),
  handler: ({ id }) => reply(undefined, { status: 204, headers: { allow: 'OPTIONS, PROPFIND', dav: '1', 'x-id': id } }),
})
const head = route({
  http: 'HEAD /only-head',
  handler: () => reply(undefined, { headers: { 'x-own': 'yes' } }),
})
const headOfGet = route({
  http: 'HEAD /both',
  handler: () => reply(undefined, { headers: { 'x-own': 'head' } }),
})
const getOfHead = route({ http: 'GET /both', handler: () => reply('body', { headers: { 'x-own': 'get' } }) })
const streamed = route({
  http: { route: 'M-SEARCH /streamed', body: 'stream' },
  handler: async (_input, call) => {
    let bytes = 0
    for await (const part of call.body) bytes += part.byteLength
    return bytes
  },
})
const endpoints = [read, purge, search, post, find, options, head, headOfGet, getOfHead, streamed]
const page = 'https://app.example'

onTransports({ describe, afterEach }, ({ start }) => {
  const boot = () => start({ pkgIds: {}, routes: {}, endpoints, http: { cors: { origins: [page] } } })

  describe('methods', () => {
    test('that core does not know have the input of path and query', async () => {
      const { request } = await boot()
      expect((await request('PURGE /cache/7?soft=true')).json()).toEqual({ id: '7', soft: true })
      expect((await request('PURGE /cache/7?soft=perhaps')).status).toBe(422)
    })

    test('have a body where they are made for one, or where the route says so', async () => {
      const { request } = await boot()
      expect((await request('QUERY /search', { json: { text: 'x', limit: 3 } })).json()).toEqual({
        text: 'x',
        limit: 3,
      })
      expect((await request('QUERY /search?text=x')).status).toBe(422)
      const found = await request('PROPFIND /files/a', { body: '<propfind/>', headers: { 'content-type': 'text/xml' } })
      expect([found.status, found.text]).toEqual([207, 'a: <propfind/>'])
      expect((await request('M-SEARCH /streamed', { body: 'x'.repeat(100_000) })).json()).toBe(100_000)
    })

    test('a route of OPTIONS is answered by its handler, and a preflight of a page is not', async () => {
      const { request } = await boot()
      const own = await request('OPTIONS /files/a')
      expect([own.status, own.headers.dav, own.headers.allow, own.headers['x-id']]).toEqual([
        204,
        '1',
        'OPTIONS, PROPFIND',
        'a',
      ])
      const headers = { origin: page, 'access-control-request-method': 'PROPFIND' }
      const preflight = await request('OPTIONS /files/a', { headers })
      expect([preflight.status, preflight.headers.dav, preflight.headers['access-control-allow-methods']]).toEqual([
        204,
        undefined,
        'OPTIONS, PROPFIND',
      ])
    })

    test('a route of HEAD is answered by its handler, also where GET is another', async () => {
      const { request } = await boot()
      const only = await request('HEAD /only-head')
      expect([only.status, only.headers['x-own'], only.text]).toEqual([200, 'yes', ''])
      expect((await request('GET /only-head')).headers.allow).toBe('HEAD, OPTIONS')
      expect((await request('HEAD /both')).headers['x-own']).toBe('head')
      const get = await request('GET /both')
      expect([get.headers['x-own'], get.json()]).toEqual(['get', 'body'])
    })

    test.each([
      ['OPTIONS /cache/7', 204, 'GET, HEAD, OPTIONS, PURGE'],
      ['PROPFIND /cache/7', 405, 'GET, HEAD, OPTIONS, PURGE'],
      ['GET /search', 405, 'OPTIONS, POST, QUERY'],
      ['UNKNOWN /search', 405, 'OPTIONS, POST, QUERY'],
      ['LINK /streamed', 405, 'M-SEARCH, OPTIONS'],
      ['DELETE /both', 405, 'GET, HEAD, OPTIONS'],
    ])('Allow after %s', async (target, status, allow) => {
      const { request } = await boot()
      const answer = await request(target)
      expect([answer.status, answer.headers.allow]).toEqual([status, allow])
    })

    test('a page may use those of the path', async () => {
      const { request } = await boot()
      const headers = { origin: page, 'access-control-request-method': 'PURGE' }
      const preflight = await request('OPTIONS /cache/7', { headers })
      expect(preflight.headers['access-control-allow-methods']).toBe('GET, HEAD, OPTIONS, PURGE')
    })

    test('an empty body of JSON is an empty object', async () => {
      const { request } = await boot()
      for (const type of ['application/json', 'application/json; charset=utf-8', undefined]) {
        const headers = type === undefined ? {} : { 'content-type': type }
        expect((await request('POST /search', { body: '', headers })).json()).toEqual({})
        expect((await request('QUERY /search', { headers })).json()).toEqual({})
      }
    })
  })
})
