import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { QueryRecord } from '../call/call.ts'
import { parseQuery } from './query.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

function parsed(raw: string): QueryRecord {
  const result = parseQuery(raw)
  if (!result.ok) throw result.error
  return result.value
}

describe('parseQuery', () => {
  test.each([
    ['', {}],
    ['a=1', { a: '1' }],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2&a=3', { a: ['1', '2', '3'] }],
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['=1', { '': '1' }],
    ['&&a=1&', { a: '1' }],
    ['a=b=c', { a: 'b=c' }],
    ['a&b=1', { a: '', b: '1' }],
    ['q=J.+R.%20Hartley&c%2B%2B=%2B', { q: 'J. R. Hartley', 'c++': '+' }],
    ['n=%C3%A9%F0%9F%99%82', { n: '\u00e9\u{1f642}' }],
    ['ids[]=1', { 'ids[]': '1' }],
    ['a=1;b=2', { a: '1;b=2' }],
    ['toString=1&hasOwnProperty=2', { toString: '1', hasOwnProperty: '2' }],
  ])('%s', (raw, expected) => {
    expect({ ...parsed(raw) }).toEqual(expected)
  })

  test('has no prototype', () => {
    expect('toString' in parsed('a=1')).toBe(false)
    expect('toString' in parsed('')).toBe(false)
  })

  test.each(['a=%', 'a=%2', '%zz=1', 'a=%ff', 'a=%c0%80', 'a=%ed%a0%80', 'a=%u0041'])('%s is malformed', (raw) => {
    expect(parseQuery(raw)).toMatchObject({ ok: false, error: { code: 'malformed_request' } })
  })

  test.each(['__proto__', 'constructor', 'prototype'])('%s is refused, encoded or not', (key) => {
    const refusal = { ok: false, error: { code: 'validation_error', details: [{ path: key }] } }
    expect(parseQuery(`a=1&${key}=x`)).toMatchObject(refusal)
    expect(parseQuery(key.replace('p', '%70').replace('c', '%63'))).toMatchObject(refusal)
  })

  test('takes a thousand pairs and no more', () => {
    expect(parseQuery(Array(1000).fill('a=1').join('&'))).toMatchObject({ ok: true })
    expect(parseQuery(Array(1001).fill('a=1').join('&'))).toMatchObject({
      ok: false,
      error: { code: 'validation_error' },
    })
    expect(parseQuery('&'.repeat(5000))).toMatchObject({ ok: true })
  })

  test('reads what URLSearchParams writes', () => {
    const key = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !['__proto__', 'constructor', 'prototype'].includes(text))
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.string({ unit: 'grapheme' })), { maxLength: 6 }), (pairs) => {
        const expected = new Map<string, string | string[]>()
        for (const [name, value] of pairs) {
          const present = expected.get(name)
          expected.set(name, present === undefined ? value : [present, value].flat())
        }
        expect(new Map(Object.entries(parsed(new URLSearchParams(pairs).toString())))).toEqual(expected)
      }),
      { numRuns: 2000 },
    )
  })

  test('never throws, and never yields half a surrogate pair of its own', () => {
    const hostile = fc.array(
      fc.constantFrom('%', '%f', '%ff', '%ed%a0%80', '%61', '&', '=', '+', 'a', '\u00e9', '__proto__'),
      {
        maxLength: 30,
      },
    )
    fc.assert(
      fc.property(hostile, (parts) => {
        const result = parseQuery(parts.join(''))
        if (result.ok) expect(JSON.stringify(result.value)).not.toContain('\\ud')
        else expect(result.error.httpStatus).toBeOneOf([400, 422])
      }),
      { numRuns: 2000 },
    )
  })
})
