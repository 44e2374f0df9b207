import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallConnection } from '../call/call.ts'
import { event } from '../call/event.ts'
import { exchange, nextJson, packet, plugin } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'
import { route } from './route.ts'

const entries = { at: v.date(), id: v.bigint(), file: v.instance(Uint8Array) }
const sent = { at: '2024-02-29T12:00:00.000Z', id: '9007199254740993', file: '+/8=' }
const values = { at: new Date(sent.at), id: 9007199254740993n, file: Uint8Array.of(0xfb, 0xff) }
const wrong = { at: '2024-02-30', id: '1e3', file: 'AQ' }
const issues = [
  {
    path: 'at',
    message: 'Must be an ISO 8601 date-time such as 2024-02-29T12:00:00Z, or a date such as 2024-02-29',
  },
  { path: 'id', message: 'Must be a decimal integer as text, such as "42"' },
  { path: 'file', message: 'Must be base64 with padding, such as "AQID"' },
]
const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

const asked = event({ data: v.null(), answer: v.object(entries) })

function options(received: unknown[]) {
  const take = { input: v.object(entries), handler: (input: unknown) => void received.push(input) }
  return {
    pkgIds: { TAKE: 1, QUERY: 2, PATH: 3, ASK: 4, MIXED: 5, ASKED: 100 },
    routes: {
      TAKE: route({ ...take, http: 'POST /take' }),
      QUERY: route({ ...take, http: 'GET /query' }),
      PATH: route({ ...take, http: 'GET /path/:at/:id/:file' }),
      MIXED: route({ ...take, http: { route: 'PUT /mixed/:at/:id', query: ['file'] } }),
      ASK: route({
        handler: async (_input, { connection }) => {
          received.push(await (connection as CallConnection).ask(asked, null))
        },
      }),
    },
    events: { ASKED: asked },
    endpoints: [
      route({
        ...take,
        http: { route: 'POST /mapped', input: ({ nested }) => v.parse(v.looseObject({}), nested) },
      }),
    ],
    plugins: [
      plugin((host) => {
        host.route('TAKE', route({ ...take, access: 'public', http: 'PATCH /plugged' }), { pkgId: 50 })
      }, 'plugged'),
    ],
  } as const
}

describe('a date, a bigint and bytes', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it.each<[string, string, 'json' | 'form' | 'none', (of: typeof sent) => string]>([
      ['a body', 'POST /take', 'json', () => ''],
      ['a form', 'POST /take', 'form', () => ''],
      ['a query', 'GET /query', 'none', (of) => `?${new URLSearchParams(of)}`],
      ['a path', 'GET /path', 'none', ({ at, id, file }) => `/${at}/${id}/${encodeURIComponent(file)}`],
      ['a mapping', 'POST /mapped', 'json', () => ''],
      ['a route of a plugin', 'PATCH /plugged', 'json', () => ''],
    ])('in %s', async (_name, target, body, toTarget) => {
      const received: unknown[] = []
      const { request } = await start(options(received))
      const send = (of: typeof sent) => {
        const content = target === 'POST /mapped' ? { nested: of } : of
        if (body === 'none') return request(target + toTarget(of))
        return body === 'json'
          ? request(target, { headers: json, body: JSON.stringify(content) })
          : request(target, { headers: form, body: new URLSearchParams(of).toString() })
      }
      expect((await send(sent)).status).toBe(204)
      expect(received).toStrictEqual([values])
      const rejected = await send(wrong)
      expect(rejected.status).toBe(422)
      expect(rejected.json()).toMatchObject({ error: { code: 'validation_error', details: issues } })
      expect(received).toHaveLength(1)
    })

    it('in a package, of the app and of a plugin', async () => {
      const received: unknown[] = []
      const { connect } = await start(options(received))
      const socket = await connect()
      for (const pkgId of [1, 50]) {
        expect(await exchange(socket, packet(pkgId, sent))).toMatchObject({ status_code: 0 })
        expect(received.splice(0)).toStrictEqual([values])
        expect(await exchange(socket, packet(pkgId, wrong))).toMatchObject({
          data: { code: 'validation_error', details: issues },
        })
        expect(received).toEqual([])
      }
    })

    it('in the answer to a question', async () => {
      const received: unknown[] = []
      const { connect } = await start(options(received))
      const socket = await connect()
      const ask = async (data: object) => {
        socket.send(packet(4))
        const { req_id } = await nextJson(socket)
        socket.send(JSON.stringify({ type: 'answer', req_id, data }))
        return nextJson<unknown>(socket)
      }
      expect(await ask(sent)).toMatchObject({ pkg_id: 4, status_code: 0 })
      expect(received).toStrictEqual([values])
      expect(await ask(wrong)).toMatchObject({ type: 'error', code: 'validation_error', details: issues })
    })

    it('twice, as the same value in two forms or as another', async () => {
      const received: unknown[] = []
      const { request } = await start(options(received))
      const { file } = sent
      const target = `PUT /mixed/2024-02-29T13:00:00%2B01:00/7?${new URLSearchParams({ file })}`
      const same = await request(target, { headers: json, body: JSON.stringify({ at: sent.at, id: '7', file }) })
      expect(same.status).toBe(204)
      expect(received).toStrictEqual([{ ...values, id: 7n }])
      for (const other of [{ at: '2024-02-29' }, { at: 'soon' }, { at: 7 }, { id: '8' }, { id: 7 }, { file: 'AQID' }]) {
        const rejected = await request(target, { headers: json, body: JSON.stringify(other) })
        expect(rejected.json()).toMatchObject({
          error: { details: [{ path: Object.keys(other)[0], message: 'Received twice with different values' }] },
        })
      }
    })
  })
})
