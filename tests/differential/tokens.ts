import { createTestIssuer, type TestIssuer } from '@twinwire/plugin-auth/testing'
import type { Tokens } from './case.ts'

/** An issuer on the stopped clock of the app `full`. */
export function startIssuer(nowMs: number): Promise<TestIssuer> {
  const clock = { now: () => nowMs, monotonic: () => performance.now(), timer: () => ({ cancel: () => {} }) }
  return createTestIssuer({ clientId: 'differential', clock })
}

export function createTokens(issuer: TestIssuer): Tokens {
  const writer = { username: 'ada', roles: ['writer', 'reader'] }
  const reader = { username: 'bob', roles: ['reader'] }
  return {
    writer: issuer.token(writer),
    reader: issuer.token(reader, { algorithm: 'ES256' }),
    scoped: issuer.token(reader, { scope: 'books' }),
    expired: issuer.token(writer, { lifetimeMs: -60_000 }),
    forged: issuer.token(writer, { forged: true }),
    audience: issuer.token(writer, { claims: { aud: 'other' } }),
    garbage: 'eyJhbGciOiJub25lIn0.e30.',
  }
}
