import { checkOptions, Instruments } from '@twinwire/core/plugin'
import { createTestLogger } from '@twinwire/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { startIssuer } from '../auth.fixtures.ts'
import { createAuthInstruments } from '../auth-instruments.ts'
import type { Published } from '../issuer/issuer-documents.ts'
import { IssuerKeys, keyRules } from '../issuer/issuer-keys.ts'
import { Revocations } from '../logout/revocations.ts'
import { createKeySet } from './jose.ts'
import { TokenCache } from './token-cache.ts'
import { TokenVerifier } from './token-verifier.ts'

/** A verifier whose next search for a key waits until it is released. */
async function create() {
  const { issuer, clock } = await startIssuer()
  const log = createTestLogger()
  const gate = { held: false, reached: () => {}, release: () => {} }
  const read = async (): Promise<Published> => {
    const certs = await fetch(`${issuer.issuer}/protocol/openid-connect/certs`)
    const keys = createKeySet(await certs.json())
    if (keys === null) throw new Error('no keys')
    const find: typeof keys.find = async (...asked) => {
      if (gate.held) {
        await new Promise<void>((resolve) => {
          gate.release = resolve
          gate.reached()
        })
      }
      return keys.find(...asked)
    }
    return { keys: { ...keys, find }, notBeforeMs: 0 }
  }
  const cache = new TokenCache(100, clock)
  const keys = new IssuerKeys(checkOptions('keys', {}, keyRules), { read, clock, log, onChange: () => cache.clear() })
  onTestFinished(() => keys.close())
  await keys.start()
  const verifier = new TokenVerifier(
    {
      issuer: issuer.issuer,
      audience: [issuer.clientId],
      algorithms: ['ES256'],
      clientId: issuer.clientId,
      authorizedParties: null,
      toleranceMs: 10_000,
      maxTokenLifetimeMs: 86_400_000,
      maxTokenBytes: 16_384,
    },
    {
      keys,
      cache,
      clock,
      revocations: new Revocations({ rememberMs: 1000, maxEntries: 10, clock, log }),
      instruments: createAuthInstruments(new Instruments()),
    },
  )
  return { issuer, keys, cache, verifier, gate }
}

it('a token whose key is removed during its verification is rejected', async () => {
  const { issuer, keys, cache, verifier, gate } = await create()
  const token = issuer.token('ada')
  gate.held = true
  const reached = new Promise<void>((resolve) => {
    gate.reached = resolve
  })
  const result = verifier.verify(token)
  await reached
  gate.held = false
  issuer.rotateKeys({ retire: true })
  await keys.refresh()
  gate.release()
  expect(await result).toEqual({ ok: false, reason: 'unknown_key' })
  expect(cache.size).toBe(0)
})

it('a token whose key stays while others change is accepted', async () => {
  const { issuer, keys, cache, verifier, gate } = await create()
  gate.held = true
  const reached = new Promise<void>((resolve) => {
    gate.reached = resolve
  })
  const result = verifier.verify(issuer.token('ada'))
  await reached
  gate.held = false
  issuer.rotateKeys()
  await keys.refresh()
  gate.release()
  expect(await result).toMatchObject({ ok: true, user: { name: 'ada' } })
  expect(cache.size).toBe(1)
})
