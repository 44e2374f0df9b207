import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallOutcome } from '../call/call-outcome.ts'
import { route } from '../index.ts'
import { plugin, until } from '../testing/suite.fixtures.ts'
import { onTransports, type TestResponse } from '../testing.ts'

const author = v.object({ id: v.number(), name: v.string() })
const options = {
  pkgIds: { CREATE: 1, UPDATE: 2, FIND: 3, REMOVE: 4, PACKAGE_ONLY: 5 },
  routes: {
    CREATE: route({
      http: { route: 'POST /authors', status: 201 },
      input: v.object({ name: v.pipe(v.string(), v.minLength(1)) }),
      handler: ({ name }) => ({ id: 1, name }),
    }),
    UPDATE: route({
      http: { route: 'PUT /authors/:id', query: ['notify'] },
      input: v.object({ ...author.entries, notify: v.optional(v.boolean()) }),
      handler: (input) => input,
    }),
    FIND: route({
      http: 'GET /authors',
      input: v.object({
        id: v.optional(v.number()),
        alive: v.optional(v.boolean()),
        tags: v.optional(v.array(v.string())),
        since: v.optional(v.date()),
      }),
      handler: (input) => ({ ...input, since: input.since?.getTime() ?? null }),
    }),
    REMOVE: route({
      http: 'DELETE /authors/:id',
      input: v.object({ id: v.number() }),
      handler: () => undefined,
    }),
    PACKAGE_ONLY: route({ handler: () => 'only here' }),
  },
  endpoints: [
    route({
      summary: 'Raw',
      http: { route: 'POST /raw', body: 'raw', maxBodyBytes: 8 },
      input: v.object({ body: v.instance(Uint8Array) }),
      handler: ({ body }) => [...body],
    }),
    route({ summary: 'Small', http: { route: 'POST /small', maxBodyBytes: 10 }, handler: () => 'ok' }),
  ],
} as const
const json = { 'content-type': 'application/json' }

function codeOf(response: TestResponse): string {
  const body = response.json() as { error: { code: string } }
  expect(Object.keys(body)).toEqual(['error'])
  expect(Object.keys(body.error)).toEqual(['code', 'msg', 'details'])
  expect(response.headers['content-type']).toBe('application/json')
  return body.error.code
}

describe('HTTP', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('serves a route with its status; no result is a 204 without a body', async () => {
      const { request } = await start(options)
      const created = await request('POST /authors', { json: { name: 'Ursula' } })
      expect([created.status, created.json()]).toEqual([201, { id: 1, name: 'Ursula' }])
      const removed = await request('DELETE /authors/7')
      expect([removed.status, removed.text, removed.headers['content-length']]).toEqual([204, '', undefined])
    })

    it('answers 404 to what no route is on, packages included', async () => {
      const { request } = await start(options)
      for (const target of ['GET /nowhere', 'GET /authors/', 'POST /AUTHORS', 'GET /PACKAGE_ONLY', 'GET //authors']) {
        const response = await request(target)
        expect([response.status, codeOf(response)]).toEqual([404, 'not_found'])
      }
    })

    it('answers 405 with Allow before it looks at anything else', async () => {
      const { request } = await start(options)
      const response = await request('PATCH /authors/7', { body: '{', headers: { 'content-type': 'image/png' } })
      expect([response.status, codeOf(response)]).toEqual([405, 'method_not_allowed'])
      expect(response.headers.allow).toBe('DELETE, OPTIONS, PUT')
    })

    it('answers OPTIONS with what is allowed, and HEAD as GET without the body', async () => {
      const { request } = await start(options)
      const allowed = await request('OPTIONS /authors')
      expect([allowed.status, allowed.headers.allow, allowed.text]).toEqual([204, 'GET, HEAD, OPTIONS, POST', ''])
      expect((await request('OPTIONS /nowhere')).status).toBe(404)
      const [get, head] = [await request('GET /authors?id=1'), await request('HEAD /authors?id=1')]
      expect([head.status, head.text]).toEqual([200, ''])
      expect(head.headers['content-length']).toBe(get.headers['content-length'])
      expect((await request('HEAD /nowhere')).status).toBe(404)
    })

    it('coerces path and query by the schema, and leaves a body as it is', async () => {
      const { request } = await start(options)
      const found = await request('GET /authors?id=7&alive=true&tags=a&tags=b&since=1970-01-01T00:00:01Z')
      expect(found.json()).toEqual({ id: 7, alive: true, tags: ['a', 'b'], since: 1000 })
      expect((await request('GET /authors?id=x')).status).toBe(422)
      const updated = await request('PUT /authors/7?notify=false', { json: { name: 'Ursula' } })
      expect(updated.json()).toEqual({ id: 7, name: 'Ursula', notify: false })
      expect((await request('POST /authors', { json: { name: 7 } })).status).toBe(422)
    })

    it('takes urlencoded bodies, coerced as a query is', async () => {
      const { request } = await start(options)
      const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }
      const updated = await request('PUT /authors/7', { headers, body: 'name=Ursula+K.&id=7' })
      expect(updated.json()).toEqual({ id: 7, name: 'Ursula K.' })
      expect((await request('POST /authors', { headers, body: 'name=%ff' })).status).toBe(400)
    })

    it('lets the path win: the same key elsewhere with another value is a 422', async () => {
      const { request } = await start(options)
      expect((await request('PUT /authors/7', { json: { id: 7, name: 'x' } })).status).toBe(200)
      const contradicted = await request('PUT /authors/7', { json: { id: 8, name: 'x' } })
      expect([contradicted.status, codeOf(contradicted)]).toEqual([422, 'validation_error'])
      expect((await request('DELETE /authors/7?id=8')).status).toBe(422)
      const unnamed = await request('PUT /authors/7?name=y', { json: { name: 'y' } })
      expect(unnamed.json()).toMatchObject({ error: { details: [{ path: 'name' }] } })
    })

    it('answers 400 to what cannot be decoded and 422 to what breaks the schema', async () => {
      const { request } = await start(options)
      for (const body of ['{', 'x', ' ', new Uint8Array([0x22, 0xff, 0x22])]) {
        const response = await request('POST /authors', { headers: json, body })
        expect([response.status, codeOf(response)]).toEqual([400, 'malformed_request'])
      }
      expect((await request('GET /authors?id=%ff')).status).toBe(400)
      expect((await request('DELETE /authors/%ff')).status).toBe(400)
      for (const body of [
        'null',
        '[]',
        '1',
        '{}',
        '{"name":""}',
        '{"name":"x","__proto__":{}}',
        '{"name":"\\ud800"}',
      ]) {
        const response = await request('POST /authors', { headers: json, body })
        expect([response.status, codeOf(response)]).toEqual([422, 'validation_error'])
      }
      const { error } = (await request('POST /authors', { json: { name: '' } })).json() as { error: object }
      expect(error).toMatchObject({ msg: 'Invalid input', details: [{ path: 'name', message: expect.any(String) }] })
    })

    it('answers 415 to a body of another type, or of none', async () => {
      const { request } = await start(options)
      for (const type of ['text/plain', 'application/xml', 'application/json; charset=latin1', 'multipart/form-data']) {
        const response = await request('POST /authors', { headers: { 'content-type': type }, body: '{}' })
        expect([response.status, codeOf(response)]).toEqual([415, 'unsupported_media_type'])
      }
      expect((await request('POST /authors', { body: '{"name":"x"}' })).status).toBe(415)
    })

    it('answers 413 to a body over the cap of its route, declared and chunked alike [defect 73]', async () => {
      const { request } = await start(options)
      const chunked = async function* () {
        for (let i = 0; i < 6; i++) yield new TextEncoder().encode('xx')
      }
      expect((await request('POST /small', { headers: json, body: 'x'.repeat(10) })).status).toBe(200)
      for (const body of ['x'.repeat(11), chunked()]) {
        const response = await request('POST /small', { headers: json, body })
        expect([response.status, codeOf(response)]).toEqual([413, 'payload_too_large'])
        expect(response.json()).toMatchObject({ error: { details: { max_bytes: 10 } } })
      }
    })

    it('caps a body at 1 MiB, or at what the app says', async () => {
      const { request } = await start(options)
      const body = `{"name":"${'x'.repeat(1024 * 1024)}"}`
      expect((await request('POST /authors', { headers: json, body })).status).toBe(413)
      const small = await start({ ...options, http: { maxBodyBytes: 20 } })
      expect((await small.request('POST /authors', { json: { name: 'Ursula K. Le Guin' } })).status).toBe(413)
      expect((await small.request('POST /authors', { json: { name: 'Ursula' } })).status).toBe(201)
    })

    it('hands a raw body to an endpoint that asks for it', async () => {
      const { request } = await start(options)
      const body = new Uint8Array([0, 255])
      expect((await request('POST /raw', { headers: { 'content-type': 'image/png' }, body })).json()).toEqual([0, 255])
      expect((await request('POST /raw', { body: new Uint8Array(9) })).status).toBe(413)
    })

    it('reports every request once, those that no route handles too', async () => {
      const outcomes: [string, number, CallOutcome['aborted']][] = []
      const hook = plugin((host) =>
        host.onReply((call, { httpStatus, aborted }) => void outcomes.push([call.route.name, httpStatus, aborted])),
      )
      const { request, app } = await start({ ...options, plugins: [hook] })
      const targets = [
        'GET /authors',
        'GET /nowhere',
        'PATCH /authors',
        'OPTIONS /authors',
        'GET /ws',
        'DELETE /authors/%ff',
      ]
      for (const target of targets) await request(target)
      await request('POST /small', { headers: json, body: 'x'.repeat(20) })
      await request('POST /authors', { headers: json, body: '{' })
      await until(() => outcomes.length >= 8)
      expect(outcomes).toEqual([
        ['FIND', 200, false],
        ['unmatched', 404, false],
        ['unmatched', 405, false],
        ['unmatched', 204, false],
        ['unmatched', 426, false],
        ['unmatched', 400, false],
        ['POST /small', 413, false],
        ['CREATE', 400, false],
      ])
      const counted = app.instruments.families().find(({ name }) => name === 'http_requests_total')
      expect(counted?.cells.map(({ labels }) => `${labels.method} ${labels.endpoint} ${labels.status_code}`)).toEqual([
        'GET /authors 200',
        'GET unmatched 404',
        'PATCH unmatched 405',
        'OPTIONS unmatched 204',
        'GET unmatched 426',
        'DELETE unmatched 400',
        'POST /small 413',
        'POST /authors 400',
      ])
    })
  })
})
