import * as v from 'valibot'
import { afterEach, describe, expect, test } from 'vitest'
import { route } from '../route/route.ts'
import { onTransports } from '../testing/on-transports.ts'
import { plugin, testAuth } from '../testing/suite.fixtures.ts'

const handshake = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

onTransports({ describe, afterEach }, ({ start }) => {
  const boot = async () => {
    const seen: string[] = []
    const app = await start({
      pkgIds: { SAVE: 1 },
      routes: {
        SAVE: route({
          http: 'POST /save',
          access: 'public',
          input: v.object({ id: v.number() }),
          handler: (input) => {
            seen.push('handler')
            return input
          },
        }),
      },
      plugins: [
        testAuth({
          identify: () => {
            seen.push('identify')
            return null
          },
        }),
        plugin((host) => {
          host.onRequest(() => void seen.push('onRequest'))
          host.onReply((call, { httpStatus }) => void seen.push(`onReply ${call.route.name} ${httpStatus}`))
          host.onUpgradeRejected((_arrival, error) => void seen.push(`onUpgradeRejected ${error.code}`))
        }),
      ],
    })
    return { ...app, seen }
  }
  const json = { 'content-type': 'application/json' }
  const body = '{"id":1}'

  describe('a request that is refused by its header fields', () => {
    test('is a 400 before any hook and route, in the envelope, and is seen by onReply', async () => {
      const { request, seen } = await boot()
      const answer = await request('POST /save', {
        headers: { ...json, authorization: ['Bearer a', 'Bearer b'], 'x-correlation-id': 'mine-1234' },
        body,
      })
      expect(answer.status).toBe(400)
      expect(answer.json()).toEqual({
        error: {
          code: 'malformed_request',
          msg: 'Header authorization was sent more than once: send it once',
          details: null,
        },
      })
      expect(answer.headers).toMatchObject({
        connection: 'close',
        'content-type': 'application/json',
        'x-correlation-id': 'mine-1234',
        'x-content-type-options': 'nosniff',
      })
      expect(seen).toEqual(['onReply unmatched 400'])
      expect((await request('POST /save', { headers: json, body })).status).toBe(200)
    })

    test.each([
      ['two lengths', { 'content-length': ['8', '8'] }],
      ['a length and chunks', { 'content-length': '8', 'transfer-encoding': 'chunked' }],
      ['a length that is not a number of bytes', { 'content-length': '8.0' }],
      ['another coding', { 'transfer-encoding': 'gzip, chunked' }],
      ['trailers', { 'transfer-encoding': 'chunked', trailer: 'x-sum' }],
      ['two content types', { 'content-type': ['application/json', 'text/plain'] }],
      ['two idempotency keys', { 'idempotency-key': ['a', 'b'] }],
    ])('does not run with %s', async (_what, headers) => {
      const { request, seen } = await boot()
      // Some of these are refused by uWebSockets.js itself, in its own words: the wire page says which.
      expect((await request('POST /save', { headers: { ...json, ...headers }, body })).status).toBe(400)
      expect(seen.filter((each) => !each.startsWith('onReply'))).toEqual([])
    })
  })

  describe('an upgrade', () => {
    const refused = [426, 'upgrade_required'] as const

    test.each([
      ['without Connection', { connection: 'keep-alive' }, 'The header Connection must name Upgrade'],
      ['without Upgrade', { upgrade: 'h2c' }, 'The header Upgrade must name websocket'],
      ['of another version', { 'sec-websocket-version': '8' }, 'The WebSocket version must be 13'],
      ['without a version', { 'sec-websocket-version': '' }, 'The WebSocket version must be 13'],
    ])('%s is a 426 that names the version', async (_what, headers, msg) => {
      const { request, app, seen } = await boot()
      const answer = await request('GET /ws', { headers: { ...handshake, ...headers } })
      expect([answer.status, answer.json()]).toEqual([refused[0], { error: { code: refused[1], msg, details: null } }])
      expect(answer.headers).toMatchObject({
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-version': '13',
        'x-content-type-options': 'nosniff',
      })
      expect(app.hub.size).toBe(0)
      expect(seen).toEqual(['onUpgradeRejected upgrade_required'])
    })

    test('a plain GET of the path gets the same headers', async () => {
      const { request } = await boot()
      const { status, headers } = await request('GET /ws')
      expect([status, headers.upgrade, headers['sec-websocket-version']]).toEqual([426, 'websocket', '13'])
    })

    test.each([
      ['a key that is not base64', { 'sec-websocket-key': '************************' }],
      ['a body', { 'content-length': '2' }],
      ['two versions', { 'sec-websocket-version': ['13', '8'] }],
      ['two tokens', { authorization: ['Bearer a', 'Bearer b'] }],
    ])('with %s is a 400', async (_what, headers) => {
      const { request, seen } = await boot()
      const answer = await request('GET /ws', {
        headers: { ...handshake, ...headers },
        ...('content-length' in headers ? { body: 'ab' } : {}),
      })
      expect([answer.status, answer.json()]).toMatchObject([400, { error: { code: 'malformed_request' } }])
      expect(seen).toEqual(['onUpgradeRejected malformed_request'])
    })

    test('may name more than one protocol and option', async () => {
      const { connect } = await boot()
      await connect()
      await connect({ headers: { 'x-own': ['a', 'b'] } })
    })
  })
})
