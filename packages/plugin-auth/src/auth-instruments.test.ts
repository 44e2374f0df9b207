import { onTransports, type RawSocket } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { type AuthTest, authFrame, bearer, counted, nextJson, startApp } from './auth.fixtures.ts'

/** Sends a token over HTTP, in a first frame, in the headers of an upgrade, and as a renewal of an open connection. */
async function showEverywhere(test: AuthTest, token: string, renewing: RawSocket): Promise<void> {
  await test.request('GET /who', bearer(token))
  const socket = await test.connect()
  socket.send(authFrame(`Bearer ${token}`))
  await Promise.race([nextJson(socket), socket.closed]).catch(() => undefined)
  await test.connect(bearer(token)).catch(() => undefined)
  renewing.send(authFrame(`Bearer ${token}`))
  await Promise.race([nextJson(renewing), renewing.closed]).catch(() => undefined)
}

describe('auth_backend_requests_total', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const open = async (test: AuthTest): Promise<RawSocket> => {
      const socket = await test.connect()
      socket.send(authFrame(`Bearer ${test.issuer.token('ada')}`))
      await nextJson(socket)
      return socket
    }
    const sides = (outcome: string) => [
      { labels: { type: 'http', outcome }, value: 1 },
      { labels: { type: 'websocket', outcome }, value: 3 },
    ]

    it('counts a valid token as success, on both wires and by each method', async () => {
      const test = await startApp(start)
      const renewing = await open(test)
      const before = counted(test.app, 'auth_backend_requests_total')
      await showEverywhere(test, test.issuer.token('ada'), renewing)
      expect(counted(test.app, 'auth_backend_requests_total', before)).toEqual(sides('success'))
    })

    it.each([
      ['expired', { lifetimeMs: -60_000 }],
      ['forged', { forged: true }],
      ['of another audience', { claims: { aud: 'other' } }],
    ])('counts a token that is %s as denied', async (_what, changes) => {
      const test = await startApp(start)
      const renewing = await open(test)
      const before = counted(test.app, 'auth_backend_requests_total')
      await showEverywhere(test, test.issuer.token('ada', changes), renewing)
      expect(counted(test.app, 'auth_backend_requests_total', before)).toEqual(sides('denied'))
    })

    it('counts credentials without a bearer token as denied', async () => {
      const { request, app } = await startApp(start)
      await request('GET /who', { headers: { authorization: 'Basic YWRhOmFkYQ==' } })
      expect(counted(app, 'auth_backend_requests_total')).toEqual([
        { labels: { type: 'http', outcome: 'denied' }, value: 1 },
      ])
    })

    it('counts as error what could not be checked because the issuer does not respond', async () => {
      const test = await startApp(start)
      const renewing = await open(test)
      const before = counted(test.app, 'auth_backend_requests_total')
      await test.clock.advance(30_000)
      await test.issuer.stop()
      const token = test.issuer.token('ada', { header: { kid: 'a-key-that-is-new' } })
      await showEverywhere(test, token, renewing)
      expect(counted(test.app, 'auth_backend_requests_total', before)).toEqual(sides('error'))
    })
  })
})
