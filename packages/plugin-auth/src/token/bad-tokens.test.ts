import { onTransports, UpgradeRefused } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { authFrame, bearer, counted, startApp, textOf } from '../auth.fixtures.ts'
import { type BadToken, createBadTokens } from './bad-tokens.fixtures.ts'

/** Parts of a token, long enough to be found where they do not belong. */
function partsOf({ token }: BadToken): readonly string[] {
  return token.split(/[. ,]/).filter((part) => part.length > 20)
}

describe('a bad token', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const startWith = async () => {
      const test = await startApp(start)
      const tokens = await createBadTokens(test.issuer, test.clock.now())
      expect(tokens.length).toBeGreaterThanOrEqual(40)
      expect(new Set(tokens.map(({ name }) => name)).size).toBe(tokens.length)
      return { ...test, tokens }
    }
    const expected = (tokens: readonly BadToken[], answer: unknown) =>
      tokens.map(({ name, reason }) => ({ name, reason, answer }))

    it('is refused over HTTP with 401 and the challenge of RFC 6750, on a route that is optional for users too', async () => {
      const { request, app, tokens, logs } = await startWith()
      for (const path of ['GET /who', 'GET /open']) {
        const seen: unknown[] = []
        for (const bad of tokens) {
          const before = counted(app, 'keycloak_token_validation_total')
          const response = await request(path, bearer(bad.token))
          const reason = counted(app, 'keycloak_token_validation_total', before)[0]?.labels.reason ?? 'request'
          const challenge = response.headers['www-authenticate'] ?? ''
          const error = /^Bearer realm="test-client", error="(\w+)", error_description="[^"]+"$/.exec(challenge)?.[1]
          expect(error).toBe(bad.reason === 'request' ? 'invalid_request' : 'invalid_token')
          for (const part of partsOf(bad)) expect(response.text).not.toContain(part)
          seen.push({ name: bad.name, reason, answer: [response.status, codeOf(response.json())] })
        }
        expect(seen).toEqual(expected(tokens, [401, 'authentication_failed']))
      }
      const logged = textOf(logs)
      for (const bad of tokens) for (const part of partsOf(bad)) expect(logged).not.toContain(part)
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    })

    it('closes a WebSocket with 4001 when the first frame brings it', async () => {
      const { connect, app, tokens, logs } = await startWith()
      const seen: unknown[] = []
      for (const bad of tokens) {
        const before = counted(app, 'keycloak_token_validation_total')
        const socket = await connect()
        socket.send(authFrame(`Bearer ${bad.token}`))
        const answer = await socket.closed
        const reason = counted(app, 'keycloak_token_validation_total', before)[0]?.labels.reason ?? 'request'
        expect(socket.frames).toEqual([])
        seen.push({ name: bad.name, reason, answer })
      }
      expect(seen).toEqual(expected(tokens, { code: 4001, reason: 'Unauthorized' }))
      const logged = textOf(logs)
      for (const bad of tokens) for (const part of partsOf(bad)) expect(logged).not.toContain(part)
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    })

    it('is no upgrade, but 401', async () => {
      const { connect, tokens } = await startWith()
      const seen: unknown[] = []
      for (const bad of tokens) {
        const error = await connect(bearer(bad.token)).catch((thrown: unknown) => thrown)
        if (!(error instanceof UpgradeRefused)) throw new Error(`${bad.name} was let in`)
        expect(error.headers['www-authenticate']).toContain('error="invalid_')
        seen.push({ name: bad.name, reason: bad.reason, answer: error.status })
      }
      expect(seen).toEqual(expected(tokens, 401))
    })

    it('of any bytes is refused, in a header and in a frame', async () => {
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
