import { onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { authFrame, bearer, nextJson, startApp } from '../auth.fixtures.ts'

describe('keys that are published without a kid', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('verify tokens without a kid, each matching key in turn', async () => {
      const { request, connect, issuer, clock } = await startApp(
        start,
        {},
        {},
        { keyIds: false, algorithms: ['ES256', 'ES384'] },
      )
      // One old key and one new key of each algorithm are published from now on.
      const old = issuer.token('ada')
      issuer.rotateKeys()
      await clock.advance(30_000)
      const tokens = [issuer.token('ada'), issuer.token('ada', { algorithm: 'ES384' }), old]
      const statuses: number[] = []
      for (const token of tokens) statuses.push((await request('GET /who', bearer(token))).status)
      const socket = await connect()
      socket.send(authFrame(`Bearer ${issuer.token('ada')}`))
      expect([statuses, await nextJson(socket)]).toMatchObject([[200, 200, 200], { type: 'auth_ok' }])
    })

    it('reject a token that none of them signed, and an invalid token that one of them signed', async () => {
      const { request, issuer, clock } = await startApp(start, {}, {}, { keyIds: false, algorithms: ['ES256'] })
      issuer.rotateKeys()
      await clock.advance(30_000)
      const ask = async (token: string) => {
        const response = await request('GET /who', bearer(token))
        return [response.status, response.headers['www-authenticate']]
      }
      const refused = (description: string) => [
        401,
        `Bearer realm="test-client", error="invalid_token", error_description="${description}"`,
      ]
      expect(await ask(issuer.token('ada', { forged: true }))).toEqual(refused('The signature of the token is invalid'))
      expect(await ask(issuer.token('ada', { lifetimeMs: -60_000 }))).toEqual(refused('The token has expired'))
      expect(await ask(issuer.token('ada', { claims: { aud: 'other' } }))).toEqual(
        refused('The audience of the token does not include this service'),
      )
    })

    it('are read again when none of them signed a token, at most once per cooldown', async () => {
      const { request, issuer, clock } = await startApp(start, {}, {}, { keyIds: false, algorithms: ['ES256'] })
      await clock.advance(30_000)
      issuer.rotateKeys({ retire: true })
      const asked = issuer.hits.certs
      expect((await request('GET /who', bearer(issuer.token('ada')))).status).toBe(200)
      for (let i = 0; i < 5; i++) {
        expect((await request('GET /who', bearer(issuer.token('ada', { forged: true })))).status).toBe(401)
      }
      expect(issuer.hits.certs).toBe(asked + 1)
    })
  })
})
