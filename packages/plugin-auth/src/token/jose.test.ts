import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { createSigningKey } from '../testing/signing-keys.ts'
import { createKeySet } from './jose.ts'

const { jwk: ec } = createSigningKey('ES256')
const good = { ...ec, kid: 'good' }
const { publicKey: short } = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const weak = { ...createPublicKey(short).export({ format: 'jwk' }), kid: 'weak', alg: 'RS256', use: 'sig' }

const unusable = [
  ['an RSA key that is too short', weak],
  ['an RSA key without a modulus', { kty: 'RSA', kid: 'k', alg: 'RS256', e: 'AQAB' }],
  ['an RSA key whose modulus is a number', { kty: 'RSA', kid: 'k', n: 5, e: 'AQAB' }],
  ['a point that is not on its curve', { ...good, kid: 'k', y: ec['x'] }],
  ['an unknown curve', { ...good, kid: 'k', crv: 'P-1' }],
  ['a secret', { kty: 'oct', kid: 'k', k: 'AAAA' }],
  ['an object without a type', { kid: 'k' }],
  ['a list', []],
] as const

it.each(unusable)('in a key set, %s is left out', (_name, key) => {
  expect(createKeySet({ keys: [key] })).toBe(null)
  expect([...(createKeySet({ keys: [key, good] })?.ids ?? [])]).toEqual(['good'])
})

it.each([null, [], 'keys', {}, { keys: {} }, { keys: [] }, { keys: [null] }])('%j is not a key set', (document) => {
  expect(createKeySet(document)).toBe(null)
})
