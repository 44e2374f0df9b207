import { onTransports, UpgradeRefused } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { authFrame, bearer, counted, startApp, textOf } from '../auth.fixtures.ts'
import { createInvalidTokens, type InvalidToken } from './invalid-tokens.fixtures.ts'

/** Parts of a token, long enough to be found where they must not be. */
function partsOf({ token }: InvalidToken): readonly string[] {
  return token.split(/[. ,]/).filter((part) => part.length > 20)
}

describe('an invalid token', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const startWith = async () => {
      const test = await startApp(start)
      const tokens = await createInvalidTokens(test.issuer, test.clock.now())
      expect(tokens.length).toBeGreaterThanOrEqual(40)
      expect(new Set(tokens.map(({ name }) => name)).size).toBe(tokens.length)
      return { ...test, tokens }
    }
    const expected = (tokens: readonly InvalidToken[], answer: unknown) =>
      tokens.map(({ name, reason }) => ({ name, reason, answer }))

    it('is rejected over HTTP with 401 and the challenge of RFC 6750, also on a route with an optional user [defect 3]', async () => {
      const { request, app, tokens, logs } = await startWith()
      for (const path of ['GET /who', 'GET /open']) {
        const seen: unknown[] = []
        for (const invalid of tokens) {
          const before = counted(app, 'keycloak_token_validation_total')
          const response = await request(path, bearer(invalid.token))
          const reason = counted(app, 'keycloak_token_validation_total', before)[0]?.labels.reason ?? 'request'
          const challenge = response.headers['www-authenticate'] ?? ''
          const error = /^Bearer realm="test-client", error="(\w+)", error_description="[^"]+"$/.exec(challenge)?.[1]
          expect(error).toBe(invalid.reason === 'request' ? 'invalid_request' : 'invalid_token')
          for (const part of partsOf(invalid)) expect(response.text).not.toContain(part)
          seen.push({ name: invalid.name, reason, answer: [response.status, codeOf(response.json())] })
        }
        expect(seen).toEqual(expected(tokens, [401, 'authentication_failed']))
      }
      const logged = textOf(logs)
      for (const invalid of tokens) for (const part of partsOf(invalid)) expect(logged).not.toContain(part)
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    })

    it('in the first frame closes a WebSocket with 4001', async () => {
      const { connect, app, tokens, logs } = await startWith()
      const seen: unknown[] = []
      for (const invalid of tokens) {
        const before = counted(app, 'keycloak_token_validation_total')
        const socket = await connect()
        socket.send(authFrame(`Bearer ${invalid.token}`))
        const answer = await socket.closed
        const reason = counted(app, 'keycloak_token_validation_total', before)[0]?.labels.reason ?? 'request'
        expect(socket.frames).toEqual([])
        seen.push({ name: invalid.name, reason, answer })
      }
      expect(seen).toEqual(expected(tokens, { code: 4001, reason: 'Unauthorized' }))
      const logged = textOf(logs)
      for (const invalid of tokens) for (const part of partsOf(invalid)) expect(logged).not.toContain(part)
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    })

    it('in an upgrade is 401', async () => {
      const { connect, tokens } = await startWith()
      const seen: unknown[] = []
      for (const invalid of tokens) {
        const error = await connect(bearer(invalid.token)).catch((thrown: unknown) => thrown)
        if (!(error instanceof UpgradeRefused)) throw new Error(`${invalid.name} was accepted`)
        expect(error.headers['www-authenticate']).toContain('error="invalid_')
        seen.push({ name: invalid.name, reason: invalid.reason, answer: error.status })
      }
      expect(seen).toEqual(expected(tokens, 401))
    })

    it('of random bytes is rejected, in a header and in a frame', async () => {
      const { connect } = await startApp(start)
      for (const token of ['\u0000', 'ünïcode', 'a\nb', 'a\tb', ' ', '\u2028', 'x'.repeat(100_000), '💥'.repeat(500)]) {
        const socket = await connect()
        socket.send(authFrame(`Bearer ${token}`))
        expect(await socket.closed).toMatchObject({ code: 4001 })
      }
    })
  })
})

function codeOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'error' in body
    ? (body.error as { readonly code: unknown }).code
    : undefined
}
