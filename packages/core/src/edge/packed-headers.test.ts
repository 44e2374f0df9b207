import fc from 'fast-check'
import { expect, it } from 'vitest'
import { findPacked, packHeaders, unpackHeaders } from './packed-headers.ts'

const name = fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,20}$/)
const value = fc.stringMatching(/^[\x20-\x7e\u0080-\u00ff]{0,40}$/)

it('keeps every header', () => {
  fc.assert(
    fc.property(fc.dictionary(name, value), (headers) => {
      const packed = packHeaders(headers, [])
      expect({ ...unpackHeaders(packed) }).toEqual({ ...headers })
      for (const each of Object.keys(headers)) expect(findPacked(packed, each)).toBe(headers[each])
    }),
  )
})

it('finds a name and never a value, or a part of a name', () => {
  const packed = packHeaders({ 'x-traceparent': 'a', note: 'traceparent:b', via: 'traceparent' }, [])
  expect(findPacked(packed, 'traceparent')).toBe('')
  expect(findPacked(packHeaders({}, []), 'traceparent')).toBe('')
  expect(findPacked(packHeaders({ a: '', traceparent: 'x:y' }, []), 'traceparent')).toBe('x:y')
})

it('has headers that are named like members of Object', () => {
  const headers = unpackHeaders('\nconstructor:1')
  expect([headers.constructor, headers.toString]).toEqual(['1', undefined])
})

it('leaves out what is not to be kept', () => {
  const packed = packHeaders({ host: 'a', authorization: 'Bearer x', cookie: 'b' }, ['authorization', 'cookie'])
  expect({ ...unpackHeaders(packed) }).toEqual({ host: 'a' })
})
