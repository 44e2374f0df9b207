import { onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { authFrame, bearer, callPackage, nextJson, pkgIds, startApp } from './auth.fixtures.ts'

describe('auth()', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('responds 401 without a token, with a challenge without error', async () => {
      const { request } = await startApp(start)
      for (const path of ['GET /who', 'GET /read', 'GET /plain']) {
        const response = await request(path)
        expect(response.status).toBe(401)
        expect(response.headers['www-authenticate']).toBe('Bearer realm="test-client"')
        expect(response.json()).toMatchObject({ error: { code: 'authentication_failed' } })
      }
    })

    it('accepts a token over HTTP and adds its user', async () => {
      const { request, issuer } = await startApp(start)
      const response = await request('GET /who', bearer(issuer.token('ada')))
      expect([response.status, response.json()]).toEqual([200, 'ada'])
    })

    it('accepts a token in the first frame, and responds with its user, its expiry and the maximum message size [defect 1]', async () => {
      const { connect, issuer, clock } = await startApp(start, {}, { websocket: { maxMessageBytes: 4096 } })
      const socket = await connect()
      socket.send(authFrame(`Bearer ${issuer.token({ username: 'ada', id: 'u-ada' })}`))
      expect(await nextJson(socket)).toEqual({
        type: 'auth_ok',
        identity: 'u-ada',
        expires_at: clock.now() / 1000 + 300,
        max_message_bytes: 4096,
      })
      expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ status_code: 0, data: 'ada' })
    })
  })
})
