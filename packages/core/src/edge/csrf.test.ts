import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { csrf, fromFetch, route } from '../index.ts'
import { exchange, nextJson, packet, testAuth } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

const foreign = 'https://evil.example'
const listed = 'https://listed.example'

describe('csrf()', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('refuses what pages of other origins send, before the input is read', async () => {
      const save = route({
        http: 'POST /save',
        use: [csrf({ origins: [listed] })],
        input: v.object({}),
        handler: () => 'saved',
      })
      const { request } = await start({ pkgIds: { SAVE: 1 }, routes: { SAVE: save }, defaultAccess: 'public' })
      const send = async (headers: Readonly<Record<string, string>>) => {
        const answer = await request('POST /save', { headers: { host: 'app.example:443', ...headers }, body: '{' })
        return [answer.status, answer.json()]
      }
      const { 0: status, 1: body } = await send({ origin: foreign })
      expect([status, body]).toMatchObject([
        403,
        {
          error: {
            code: 'permission_denied',
            msg: "This request was sent by a page of the origin 'https://evil.example', which may not use the cookies of this server: if it may, list it in origins. Behind a proxy, let it pass on the Host header, with http.trustedProxies for TLS, or list the public origin",
          },
        },
      ])
      for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'null' }])
        expect((await send(headers))[0]).toBe(403)
      // The guard has passed: a body without a type is not read.
      for (const headers of [{}, { origin: listed }, { origin: 'https://app.example' }, { 'sec-fetch-site': 'none' }])
        expect((await send(headers))[0]).toBe(415)
    })

    it('lets GET and HEAD pass', async () => {
      const look = route({ http: 'GET /look', access: 'public', use: [csrf()], handler: () => 1 })
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [look] })
      for (const method of ['GET', 'HEAD'])
        expect((await request(`${method} /look`, { headers: { origin: foreign } })).status).toBe(200)
    })

    it('guards a fetch handler by the method that was sent', async () => {
      const app = fromFetch('/app', () => new Response('ok'), { access: 'public', use: [csrf()] })
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [app] })
      const headers = { origin: foreign }
      expect((await request('GET /app/x', { headers })).status).toBe(200)
      for (const method of ['POST', 'DELETE', 'QUERY'])
        expect([method, (await request(`${method} /app/x`, { headers })).status]).toEqual([method, 403])
    })

    it('decides about a package by the upgrade of its connection', async () => {
      const routes = { SAVE: route({ use: [csrf({ origins: [listed] })], handler: () => 'saved' }) }
      const websocket = { origins: ['*'] }
      const app = await start({ pkgIds: { SAVE: 1 }, routes, defaultAccess: 'public', websocket })
      const send = async (headers: Readonly<Record<string, string>>) =>
        (await exchange(await app.connect({ headers: { host: 'app.example', ...headers } }), packet(1))).data
      for (const headers of [
        {},
        { origin: listed },
        { origin: 'http://app.example' },
        { origin: 'https://app.example' },
      ])
        expect(await send(headers)).toBe('saved')
      const refused = [
        { origin: foreign },
        { origin: 'null' },
        { origin: 'http://app.example', 'x-forwarded-proto': 'https' },
        { origin: 'http://app.example', 'x-forwarded-proto': 'wss' },
        { origin: 'http://app.example', 'x-forwarded-proto': 'WSS, http' },
      ]
      for (const headers of refused) expect(await send(headers)).toMatchObject({ code: 'permission_denied' })
    })

    it('knows its own origin behind a trusted proxy', async () => {
      const save = route({ http: 'POST /save', access: 'public', use: [csrf()], handler: () => 'saved' })
      const http = { trustedProxies: ['127.0.0.1'] }
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [save], http })
      const send = async (origin: string, proto: string) =>
        (await request('POST /save', { headers: { host: 'app.example', origin, 'x-forwarded-proto': proto } })).status
      expect(await send('https://app.example', 'https')).toBe(200)
      expect(await send('http://app.example', 'http')).toBe(200)
      expect(await send('http://app.example', 'https')).toBe(403)
    })

    it('and the origin of an upgrade know default ports', async () => {
      const app = await start({
        pkgIds: { WHO: 1 },
        routes: { WHO: route({ handler: (_input, { cookies }) => [cookies.get('token'), cookies.get('a')] }) },
        environment: 'staging',
        plugins: [
          testAuth({
            fromUpgrade: ({ secure }) => ({ identity: { id: String(secure), name: '' }, reply: { type: 'auth_ok' } }),
            credentialCookies: ['token'],
          }),
        ],
      })
      const headers = { host: 'app.example:443', origin: 'https://app.example', cookie: 'token=x; a=1' }
      const socket = await app.connect({ headers })
      expect(await nextJson(socket)).toEqual({ type: 'auth_ok' })
      // What carried the credentials is not kept.
      expect((await exchange(socket, packet(1))).data).toEqual([null, '1'])
      await expect(app.connect({ headers: { ...headers, origin: foreign } })).rejects.toMatchObject({ status: 403 })
      await expect(app.connect({ headers: { ...headers, host: 'app.example:8443' } })).rejects.toMatchObject({
        status: 403,
      })
    })
  })

  it.each([['app.example'], ['https://app.example/'], ['*'], ['null']])('does not take %j for an origin', (origin) => {
    expect(() => csrf({ origins: [origin] })).toThrow(
      "csrf(): origins[0] must be an origin such as 'https://app.example.com'",
    )
  })
})
