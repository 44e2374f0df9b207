import fc from 'fast-check'
import { expect, it } from 'vitest'
import { findPacked, noCredentials, packHeaders, unpackHeaders } from './packed-headers.ts'

const name = fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,20}$/)
const value = fc.stringMatching(/^[\x20-\x7e\u0080-\u00ff]{0,40}$/)

it('keeps every header', () => {
  fc.assert(
    fc.property(fc.dictionary(name, value), (headers) => {
      const packed = packHeaders(headers, noCredentials)
      expect({ ...unpackHeaders(packed) }).toEqual({ ...headers })
      for (const each of Object.keys(headers)) expect(findPacked(packed, each)).toBe(headers[each])
    }),
  )
})

it('finds a name and never a value, or a part of a name', () => {
  const packed = packHeaders({ 'x-traceparent': 'a', note: 'traceparent:b', via: 'traceparent' }, noCredentials)
  expect(findPacked(packed, 'traceparent')).toBe('')
  expect(findPacked(packHeaders({}, noCredentials), 'traceparent')).toBe('')
  expect(findPacked(packHeaders({ a: '', traceparent: 'x:y' }, noCredentials), 'traceparent')).toBe('x:y')
})

it('has headers that are named like members of Object', () => {
  const headers = unpackHeaders('\nconstructor:1')
  expect([headers.constructor, headers.toString]).toEqual(['1', undefined])
})

it('leaves out what is not to be kept', () => {
  const sent = { host: 'a', authorization: 'Bearer x', cookie: 'b' }
  const packed = packHeaders(sent, { headers: ['authorization', 'cookie'], cookies: [] })
  expect({ ...unpackHeaders(packed) }).toEqual({ host: 'a' })
})

it.each([
  ['a=1; token=x; b=2', 'a=1; b=2'],
  ['token=x;a=1', 'a=1'],
  ['a=1;  token = x ; token=y', 'a=1'],
  ['token; tokens=1; xtoken=2', 'token; tokens=1; xtoken=2'],
  ['token=x', undefined],
])('keeps the other cookies of %j', (cookie, kept) => {
  const packed = packHeaders({ host: 'a', cookie }, { headers: [], cookies: ['token'] })
  expect(unpackHeaders(packed).cookie).toBe(kept)
})
