import { afterEach, describe, expect, it } from 'vitest'
import { AuthenticationError, RateLimitError, route, type WebSocketOptions } from '../index.ts'
import type { ControlResult } from '../plugin.ts'
import { jsonCodec } from '../protocol/json-codec.ts'
import { auth, deferred, nextJson, packet, plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports, UpgradeRefused } from '../testing.ts'

const options = {
  pkgIds: { WHO: 1 },
  routes: { WHO: route({ http: 'GET /who', access: 'public', handler: (_input, call) => call.identity?.id ?? null }) },
} as const

/** How an upgrade was refused. */
async function refusal(
  connecting: Promise<unknown>,
): Promise<{ status: number; code: string; headers: UpgradeRefused['headers'] }> {
  const error = await connecting.then(
    () => new Error('it was accepted'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof UpgradeRefused)) throw error
  const body = JSON.parse(new TextDecoder().decode(error.body)) as {
    error: { code: string; msg: string; details: unknown }
  }
  expect(Object.keys(body.error)).toEqual(['code', 'msg', 'details'])
  expect(error.headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-correlation-id': expect.any(String) })
  return { status: error.status, code: body.error.code, headers: error.headers }
}

const fromUpgrade = ({ headers }: { headers: Readonly<Record<string, string>> }): ControlResult | null => {
  const token = headers.authorization
  if (token === undefined) return null
  if (token === 'bad') throw new AuthenticationError('The token is not valid')
  return { identity: { id: token, name: token }, reply: { type: 'auth_ok' } }
}

describe('an upgrade', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('with good credentials gets auth_ok at once; an auth frame is then a renewal', async () => {
      const { connect, app } = await start({ ...options, plugins: [testAuth({ fromUpgrade })] })
      const socket = await connect({ headers: { authorization: 'ann' } })
      expect(await nextJson(socket)).toEqual({ type: 'auth_ok' })
      expect(app.hub.ofIdentity('ann')).toHaveLength(1)
      socket.send(auth('ann'))
      expect(await nextJson(socket)).toEqual({ type: 'auth_ok' })
      socket.send(packet(1))
      expect((await nextJson(socket)).data).toBe('ann')
    })

    it('keeps its headers and its query for plugins and calls, without those that carried the credentials', async () => {
      const seen: unknown[] = []
      const look = plugin((host) => {
        host.onConnect(({ headers, query }) => void seen.push(headers.authorization, headers['x-kind'], query))
        host.onCall(({ headers }) => void seen.push(headers.authorization, headers['x-kind']))
      })
      const testAuthPlugin = testAuth({ fromUpgrade, credentialHeaders: ['authorization'] })
      const { connect } = await start({ ...options, plugins: [testAuthPlugin, look] })
      const socket = await connect({ path: '/ws?a=1&a=2', headers: { authorization: 'ann', 'x-kind': 'phone' } })
      await nextJson(socket)
      socket.send(packet(1))
      expect((await nextJson(socket)).data).toBe('ann')
      expect(seen).toEqual([undefined, 'phone', { a: ['1', '2'] }, undefined, 'phone'])
    })

    it('may be answered with what only the connection knows', async () => {
      const admission: ControlResult = {
        identity: { id: 'ann', name: 'Ann' },
        reply: ({ maxMessageBytes, identity }) => ({ type: 'auth_ok', maxMessageBytes, id: identity?.id }),
      }
      const plugins = [testAuth({ fromUpgrade: () => admission })]
      const { connect } = await start({ ...options, websocket: { maxMessageBytes: 4096 }, plugins })
      expect(await nextJson(await connect())).toEqual({ type: 'auth_ok', maxMessageBytes: 4096, id: 'ann' })
    })

    it('with bad ones is a 401 that says how to authenticate, and no socket', async () => {
      const ends: unknown[] = []
      const { connect } = await start({
        ...options,
        plugins: [
          testAuth({ fromUpgrade: async (request) => fromUpgrade(request) }),
          plugin((host) => host.onDisconnect((connection) => void ends.push(connection))),
        ],
      })
      const { status, code, headers } = await refusal(connect({ headers: { authorization: 'bad' } }))
      expect([status, code]).toEqual([401, 'authentication_failed'])
      expect(headers['www-authenticate']).toBe('Bearer')
      expect(ends).toEqual([])
    })

    it('without any waits for the first frame', async () => {
      const { connect } = await start({ ...options, plugins: [testAuth({ fromUpgrade })] })
      const socket = await connect()
      socket.send(auth('ann'))
      expect(await nextJson(socket)).toEqual({ type: 'auth_ok' })
    })

    it('is refused by onRequest before any token work, as a request is', async () => {
      let looked = 0
      const limit = plugin((host) => {
        host.onRequest(async ({ wire, address }) => {
          expect(address).toBe('127.0.0.1')
          await Promise.resolve()
          throw new RateLimitError({ retryAfterMs: 1500, limit: 10, remaining: 0 }, { details: { wire } })
        })
      }, 'limit')
      const look = () => {
        looked++
        return null
      }
      const { connect, request } = await start({
        ...options,
        plugins: [testAuth({ fromUpgrade: look, identify: look }), limit],
      })
      const { status, code, headers } = await refusal(connect())
      expect([status, code, headers['retry-after']]).toEqual([429, 'rate_limit_exceeded', '2'])
      const response = await request('GET /who')
      expect([response.status, response.headers['retry-after']]).toEqual([429, '2'])
      expect(response.json()).toMatchObject({ error: { code: 'rate_limit_exceeded', details: { wire: 'http' } } })
      expect(looked).toBe(0)
    })

    it('that is rejected is reported to onUpgradeRejected once, with what onRequest added to the answer', async () => {
      const told: unknown[] = []
      const watch = plugin((host) => {
        host.onRequest(({ wire, replyHeaders, headers }) => {
          replyHeaders.set('x-arrived', wire)
          if (headers['x-limit'] !== undefined) throw new RateLimitError({ retryAfterMs: 1, limit: 1, remaining: 0 })
        })
        host.onUpgradeRejected(({ wire, address, path, headers }, { code }) => {
          told.push([wire, address, path, headers['x-name'], code])
          throw new Error('of onUpgradeRejected')
        })
      }, 'watch')
      const { connect, logs } = await start({
        ...options,
        plugins: [testAuth({ fromUpgrade: async (request) => fromUpgrade(request) }), watch],
      })
      const limited = await refusal(connect({ headers: { 'x-limit': 'yes', 'x-name': 'ann' } }))
      const bad = await refusal(connect({ headers: { authorization: 'bad', 'x-name': 'bob' } }))
      const unknown = await refusal(connect({ path: '/ws?format=xml' }))
      ;(await connect()).close()
      expect([limited.headers['x-arrived'], bad.headers['x-arrived'], unknown.headers['x-arrived']]).toEqual([
        'ws',
        'ws',
        undefined,
      ])
      expect(told).toEqual([
        ['ws', '127.0.0.1', '/ws', 'ann', 'rate_limit_exceeded'],
        ['ws', '127.0.0.1', '/ws', 'bob', 'authentication_failed'],
        ['ws', '127.0.0.1', '/ws', undefined, 'malformed_request'],
      ])
      expect(logs.filter(({ message }) => message === 'An onUpgradeRejected hook failed')).toHaveLength(3)
    })

    it('whose client disconnects while onRequest runs opens nothing', async () => {
      const arrived = deferred()
      const release = deferred()
      let opened = 0
      const { connect, app } = await start({
        ...options,
        plugins: [
          plugin((host) => {
            host.onRequest(() => {
              arrived.resolve()
              return release.promise
            })
            host.onConnect(() => void opened++)
          }),
        ],
      })
      const leave = new AbortController()
      const connecting = connect({ signal: leave.signal })
      await arrived.promise
      leave.abort(new Error('left'))
      await expect(connecting).rejects.toThrow('left')
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
      release.resolve()
      await connect()
      await until(() => opened > 0)
      expect([opened, app.hub.size]).toEqual([1, 1])
    })

    it('whose hooks take more than 10 s is a 503', async () => {
      const clock = createVirtualClock()
      const { connect } = await start({
        ...options,
        clock,
        plugins: [plugin((host) => host.onRequest(() => new Promise(() => {})))],
      })
      const refused = refusal(connect())
      await until(() => clock.pendingTimers > 0)
      await clock.advance(10_000)
      expect(await refused).toMatchObject({ status: 503, code: 'unavailable' })
    })

    it('whose hook fails is a 500 without the reason, which is logged', async () => {
      const { connect, logs } = await start({
        ...options,
        plugins: [
          plugin((host) =>
            host.onRequest(() => {
              throw new Error('secret')
            }),
          ),
        ],
      })
      expect(await refusal(connect())).toMatchObject({ status: 500, code: 'internal_error' })
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({ message: 'secret' })
    })

    const origins = (websocket: WebSocketOptions, environment: 'test' | 'production' = 'test') =>
      start({
        ...options,
        environment,
        defaultAccess: 'public',
        http: { hosts: ['127.0.0.1', 'app.example'] },
        websocket,
      })

    it('has the address that a trusted proxy names, in its calls and its connection [defect 29]', async () => {
      const seen: string[] = []
      const watch = plugin((host) => host.onConnect(({ address }) => void seen.push(address)), 'watch')
      const handler = (_input: undefined, call: { readonly address: string }) => call.address
      const app = (trustedProxies: string[]) =>
        start({
          pkgIds: { WHERE: 1 },
          routes: { WHERE: route({ handler }) },
          plugins: [watch],
          http: { trustedProxies },
        })
      const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' }
      expect(await (await (await app(['127.0.0.1'])).client({ headers })).call('WHERE')).toBe('203.0.113.7')
      expect(await (await (await app([])).client({ headers })).call('WHERE')).toBe('127.0.0.1')
      expect(seen).toEqual(['203.0.113.7', '127.0.0.1'])
    })

    it('from an origin that is not listed is a 403 [defect 13]', async () => {
      const { connect, app } = await origins({ origins: ['https://app.example'] })
      for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null']) {
        expect(await refusal(connect({ headers: { origin } }))).toMatchObject({
          status: 403,
          code: 'permission_denied',
        })
      }
      await connect({ headers: { origin: 'https://app.example' } })
      await connect()
      const rejected = app.instruments.families().find(({ name }) => name === 'ws_connections_total')
      expect(rejected?.cells.find(({ labels }) => labels.status === 'rejected_origin')?.cell).toMatchObject({
        value: 4,
      })
    })

    it('in production comes from the host that was asked, unless origins are listed [defect 14]', async () => {
      const { connect } = await origins({}, 'production')
      const headers = (origin: string) => ({ host: 'app.example', origin })
      await connect({ headers: headers('https://app.example') })
      await connect({ headers: { host: 'app.example' } })
      for (const origin of ['https://evil.example', 'https://app.example:444', 'null', 'file://']) {
        expect((await refusal(connect({ headers: headers(origin) }))).status).toBe(403)
      }
      const open = await origins({ origins: ['*'] }, 'production')
      await open.connect({ headers: { origin: 'https://evil.example' } })
    })

    it('for a host that the app does not answer to is a 400, as a request is', async () => {
      const { connect, request } = await origins({})
      for (const host of ['evil.example', 'app.example.evil.example', 'app.example@evil.example']) {
        expect(await refusal(connect({ headers: { host } }))).toMatchObject({ status: 400, code: 'malformed_request' })
        expect((await request('GET /who', { headers: { host } })).status).toBe(400)
      }
      await connect({ headers: { host: 'APP.example:8000' } })
      expect((await request('GET /who', { headers: { host: 'app.example:1' } })).status).toBe(200)
    })

    it('with an unknown format is a 400', async () => {
      const { connect } = await start(options)
      for (const path of ['/ws?format=protobuf', '/ws?format=%20json', '/ws?format=json5'] as const) {
        expect(await refusal(connect({ path }))).toMatchObject({ status: 400, code: 'malformed_request' })
      }
    })

    it('takes a format in any case, and an empty one for the default', async () => {
      const { connect } = await start(options)
      for (const path of [
        '/ws?format=json',
        '/ws?format=JSON',
        '/ws?format=Json',
        '/ws?format=',
        '/ws?format',
      ] as const) {
        const socket = await connect({ path })
        socket.send(packet(1))
        expect(await nextJson(socket)).toMatchObject({ status_code: 0 })
      }
    })

    it('needs codecs with names of their own', async () => {
      for (const names of [['json', 'JSON'], ['']]) {
        const [first = jsonCodec, ...others] = names.map((name) => ({ ...jsonCodec, name }))
        await expect(start({ ...options, codecs: [first, ...others] })).rejects.toMatchObject({ code: 'bad_option' })
      }
    })

    it('echoes the sub-protocol twinwire, and never a token beside it', async () => {
      const { connect } = await start(options)
      expect((await connect({ protocols: ['twinwire', 'bearer.abc'] })).protocol).toBe('twinwire')
      expect((await connect({ protocols: ['bearer.abc', 'twinwire'] })).protocol).toBe('twinwire')
      expect((await connect()).protocol).toBe('')
    })

    it('is on the configured path; a plain GET of it is a 426', async () => {
      const { connect, request } = await start({ ...options, websocket: { path: '/web' } })
      await connect({ path: '/web' })
      expect((await refusal(connect({ path: '/ws' }))).status).toBe(404)
      const { status, headers, json } = await request('GET /web')
      expect([status, headers.upgrade]).toEqual([426, 'websocket'])
      expect(json()).toMatchObject({ error: { code: 'upgrade_required' } })
    })
  })
})
