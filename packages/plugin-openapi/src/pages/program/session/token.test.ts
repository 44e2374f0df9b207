import { describe, expect, it } from 'vitest'
import { cleanToken, pasted } from './source.ts'
import { readClaims } from './token.ts'

const tokenOf = (claims: object): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'ES256' })}.${part(claims)}.signature`
}

describe('claims', () => {
  it('roles are those of the clients that the token is for', () => {
    const token = tokenOf({
      sub: 'a-1',
      preferred_username: 'Åsa',
      iss: 'https://id.example',
      aud: ['api', 'account'],
      azp: 'web',
      iat: 1000,
      exp: 1300,
      resource_access: { api: { roles: ['read'] }, web: { roles: ['write', 'read'] }, other: { roles: ['admin'] } },
      realm_access: { roles: ['offline_access'] },
    })
    expect(readClaims(token)).toEqual({
      name: 'Åsa',
      subject: 'a-1',
      issuer: 'https://id.example',
      roles: ['read', 'write'],
      issuedAt: 1_000_000,
      expiresAt: 1_300_000,
    })
  })

  it('without roles of a client those of the realm', () => {
    expect(readClaims(tokenOf({ realm_access: { roles: ['read'] }, roles: ['write'] }))?.roles).toEqual([
      'read',
      'write',
    ])
  })

  it('a token of another kind has none', () => {
    expect([readClaims('opaque'), readClaims('a.!!.c')]).toEqual([null, null])
    expect(readClaims(tokenOf({ exp: 'soon', resource_access: 7 }))).toMatchObject({
      expiresAt: null,
      roles: [],
      name: '',
    })
  })
})

it.each([
  [' abc.def ', 'abc.def'],
  ['Bearer abc', 'abc'],
  ['authorization: bearer "abc"', 'abc'],
  ['two words', null],
  ['', null],
  ['Bearer ', null],
])('%j pasted is the token %j', (text, token) => {
  expect(cleanToken(text)).toBe(token)
})

it('a pasted token that was rejected is not sent again', async () => {
  const source = pasted('abc')
  expect([await source.get(null), await source.get('abc'), source.canRenew]).toEqual(['abc', null, false])
})
