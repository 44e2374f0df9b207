import { Disconnect, disconnects, type Plugin } from '@twinwire/core'
import { definePlugin, pluginKey } from '@twinwire/core/plugin'
import { onTransports, type RawSocket, UpgradeRefused } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { authFrame, bearer, callPackage, counted, nextJson, packet, pkgIds, startApp } from './auth.fixtures.ts'

const unauthorized = { code: 4001, reason: 'Unauthorized' }

/** A plugin whose `onConnect` waits for the test. */
function waiting(): { readonly plugin: Plugin; readonly entered: Promise<void>; readonly go: () => void } {
  let go = (): void => {}
  let enter = (): void => {}
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  const entered = new Promise<void>((resolve) => {
    enter = resolve
  })
  const plugin = definePlugin(pluginKey('waiting').of<null>(), {
    setup(host) {
      host.onConnect(() => {
        enter()
        return gone
      })
      return null
    },
  })
  return { plugin, entered, go }
}

async function refusalOf(connecting: Promise<RawSocket>): Promise<UpgradeRefused> {
  const error = await connecting.catch((thrown: unknown) => thrown)
  if (error instanceof UpgradeRefused) return error
  throw new Error('The upgrade was not rejected')
}

describe('the handshake', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it.each(['Bearer', 'bearer', 'BEARER'])('accepts the scheme %s', async (scheme) => {
      const { connect, issuer } = await startApp(start)
      const socket = await connect()
      socket.send(authFrame(`${scheme} ${issuer.token('ada')}`))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
    })

    it('closes with 4001 after any other frame than auth, and sends nothing else', async () => {
      const { connect, issuer, logs } = await startApp(start, {}, { websocket: { maxMessageBytes: 32_768 } })
      const token = issuer.token('ada')
      const frames: (string | Uint8Array)[] = [
        '',
        ' ',
        'auth',
        '{',
        '[]',
        '[{"type":"auth"}]',
        'null',
        'true',
        '7',
        '"auth"',
        '{}',
        '{"type":null}',
        '{"type":"auth"}',
        '{"type":["auth"],"token":"Bearer x"}',
        JSON.stringify({ type: 'AUTH', token: `Bearer ${token}` }),
        JSON.stringify({ type: 'login', token: `Bearer ${token}` }),
        JSON.stringify({ token: `Bearer ${token}` }),
        JSON.stringify([{ type: 'auth', token: `Bearer ${token}` }]),
        authFrame(null),
        authFrame(7),
        authFrame([]),
        authFrame([`Bearer ${token}`]),
        authFrame({ token }),
        authFrame(''),
        authFrame(token),
        authFrame(`Bearer`),
        authFrame('Bearer '),
        authFrame(`Bearer  ${token}`),
        authFrame(` Bearer ${token}`),
        authFrame(`Bearer ${token} `),
        authFrame(`Bearer\t${token}`),
        authFrame(`Basic ${token}`),
        authFrame(`Bearer ${token} ${token}`),
        authFrame(`Bearer ${'x'.repeat(30_000)}`),
        JSON.stringify({ type: 'auth', filler: 'x'.repeat(32_000) }),
        packet(pkgIds.WHO),
        new TextEncoder().encode(authFrame(`Bearer ${token}`)),
        new Uint8Array(0),
      ]
      for (const frame of frames) {
        const socket = await connect()
        socket.send(frame)
        expect([frame, await socket.closed, socket.frames]).toEqual([frame, unauthorized, []])
      }
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    })

    it('closes with 4001 after a frame that is not UTF-8 or JSON', async () => {
      const { connect } = await startApp(start)
      const socket = await connect()
      socket.send(new TextEncoder().encode('{"type":"auth","token":'), false)
      expect(await socket.closed).toEqual(unauthorized)
    })

    it('closes with 4002 when no frame arrives in time', async () => {
      const { connect, clock } = await startApp(start)
      const socket = await connect()
      await clock.advance(4999)
      expect(socket.frames).toEqual([])
      await clock.advance(1)
      expect(await socket.closed).toEqual({ code: 4002, reason: 'Authentication timeout' })
    })

    it('holds packages behind the frame until it is verified, and runs them in order', async () => {
      const { connect, issuer } = await startApp(start)
      const socket = await connect()
      socket.send(authFrame(`Bearer ${issuer.token('bob')}`))
      socket.send(packet(pkgIds.WHO))
      socket.send(packet(pkgIds.EITHER))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      expect(await nextJson(socket)).toMatchObject({ pkg_id: pkgIds.WHO, data: 'bob' })
      expect(await nextJson(socket)).toMatchObject({ pkg_id: pkgIds.EITHER, data: 'bob' })
    })

    it('completes after onConnect of other plugins, not before', async () => {
      const slow = waiting()
      const { connect, issuer, app } = await startApp(start, {}, { plugins: [slow.plugin] })
      const socket = await connect()
      socket.send(authFrame(`Bearer ${issuer.token('ada')}`))
      await slow.entered
      expect([socket.frames.length, app.hub.size]).toEqual([0, 0])
      slow.go()
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      expect(app.hub.size).toBe(1)
    })

    it('that another plugin rejects leaves no timer and no socket behind', async () => {
      const refusing: Plugin = {
        name: 'refusing',
        setup(host) {
          host.onConnect(() => {
            throw new Disconnect(disconnects.tooManyConnections)
          })
        },
      }
      const { connect, issuer, clock, keycloak } = await startApp(start, {}, { plugins: [refusing] })
      const timers = clock.pendingTimers
      const socket = await connect()
      socket.send(authFrame(`Bearer ${issuer.token({ username: 'ada', id: 'u1' })}`))
      expect(await socket.closed).toMatchObject({ code: 1008 })
      await expect.poll(() => clock.pendingTimers).toBe(timers)
      expect(keycloak.revoke('u1')).toBe(0)
    })
  })
})

describe('an upgrade', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('with a token in its header gets auth_ok at once; an auth frame is then a renewal', async () => {
      const { connect, issuer, clock } = await startApp(start, {}, { websocket: { maxMessageBytes: 5000 } })
      const socket = await connect(bearer(issuer.token({ username: 'ada', id: 'u-ada', roles: ['read'] })))
      expect(await nextJson(socket)).toEqual({
        type: 'auth_ok',
        identity: 'u-ada',
        expires_at: clock.now() / 1000 + 300,
        max_message_bytes: 5000,
      })
      expect(socket.protocol).toBe('')
      socket.send(authFrame(`Bearer ${issuer.token({ username: 'ada', id: 'u-ada', roles: ['read'] })}`))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok', identity: 'u-ada' })
      expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ data: 'ada' })
    })

    it('accepts a token as a sub-protocol, which it does not echo', async () => {
      const { connect, issuer } = await startApp(start)
      const socket = await connect({ protocols: ['twinwire', `bearer.${issuer.token('ada')}`] })
      expect(socket.protocol).toBe('twinwire')
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ data: 'ada' })
    })

    it('without a token waits for the first frame', async () => {
      const { connect, issuer } = await startApp(start)
      const socket = await connect({ protocols: ['twinwire'] })
      expect(socket.protocol).toBe('twinwire')
      socket.send(authFrame(`Bearer ${issuer.token('ada')}`))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
    })

    it('with an invalid token, two tokens or another scheme is 401, and opens no socket', async () => {
      const { connect, issuer, app } = await startApp(start)
      const [good, bad] = [issuer.token('ada'), issuer.token('ada', { forged: true })]
      const offered = (...protocols: string[]) => ({ protocols: ['twinwire', ...protocols] })
      for (const [options, error] of [
        [bearer(bad), 'invalid_token'],
        [offered(`bearer.${bad}`), 'invalid_token'],
        [offered('bearer.x'), 'invalid_token'],
        [offered(`bearer.${good}`, `bearer.${issuer.token('bob')}`), 'invalid_request'],
        [{ ...bearer(good), ...offered(`bearer.${issuer.token('bob')}`) }, 'invalid_request'],
        [{ ...bearer(good), ...offered(`bearer.${good}`) }, 'invalid_request'],
        [{ headers: { authorization: `Basic ${good}` } }, 'invalid_request'],
        [{ headers: { authorization: good } }, 'invalid_request'],
      ] as const) {
        const refused = await refusalOf(connect(options))
        expect(refused.status).toBe(401)
        expect(refused.headers['www-authenticate']).toContain(`error="${error}"`)
        expect(JSON.parse(new TextDecoder().decode(refused.body))).toMatchObject({
          error: { code: 'authentication_failed' },
        })
      }
      expect(app.hub.size).toBe(0)
      expect(counted(app, 'ws_connections_total')).toContainEqual({ labels: { status: 'rejected_auth' }, value: 8 })
    })

    it('never reads a token from the query [defect 2] [defect 11]', async () => {
      const { connect, request, issuer, clock } = await startApp(start)
      const token = issuer.token('ada')
      for (const name of ['token', 'access_token', 'Authorization', 'authorization']) {
        expect((await request(`GET /who?${name}=Bearer%20${token}`)).status).toBe(401)
        const socket = await connect({ path: `/ws?${name}=Bearer%20${token}` })
        await clock.advance(5000)
        expect(await socket.closed).toMatchObject({ code: 4002 })
      }
    })
  })
})

describe('HTTP', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('accepts only the scheme Bearer, in any letter case, with one token', async () => {
      const { request, issuer } = await startApp(start)
      const token = issuer.token('ada')
      const status = async (authorization: string) => (await request('GET /who', { headers: { authorization } })).status
      expect(await status(`bearer ${token}`)).toBe(200)
      expect(await status(`BEARER ${token}`)).toBe(200)
      for (const header of [
        token,
        'Bearer',
        `Basic ${token}`,
        `Bearer  ${token}`,
        `Bearer ${token}, Bearer ${token}`,
        `Bearer ${token},`,
      ])
        expect([header, await status(header)]).toEqual([header, 401])
    })

    it('accepts tokens up to 16 KiB, and so does a frame', async () => {
      const { request, connect, issuer } = await startApp(start)
      const filled = (filler: number) => issuer.token('ada', { claims: { filler: 'x'.repeat(filler) } })
      const token = filled(Math.floor(((16_384 - filled(0).length) * 3) / 4) - 4)
      expect(token.length).toBeGreaterThan(16_370)
      expect((await request('GET /who', bearer(token))).status).toBe(200)
      const socket = await connect()
      socket.send(authFrame(`Bearer ${token}`))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
    })
  })
})
