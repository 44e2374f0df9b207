import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { findUnsafe, isUnsafeKey } from './safe-value.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const find = (text: string): unknown => findUnsafe(JSON.parse(text))
const nested = (levels: number, open: string, close: string): string => `${open.repeat(levels)}1${close.repeat(levels)}`

describe('findUnsafe', () => {
  test.each([
    'null',
    'true',
    '1',
    '"a"',
    '[]',
    '{}',
    '{"a":[{"b":null}]}',
    '{"constructor":1}',
    '{"constructor":{}}',
    '{"constructor":null}',
    '{"constructor":{"name":"x"}}',
    '{"prototype":{}}',
    '{"a":"\\ud83d\\ude42"}',
    '"\\u0000"',
    '{"toString":1}',
    '1e308',
  ])('%s is fine', (text) => {
    expect(find(text)).toBeNull()
  })

  test.each([
    ['{"__proto__":1}', '__proto__', 'Key is not allowed'],
    ['{"a":{"__proto__":{}}}', 'a.__proto__', 'Key is not allowed'],
    ['[{"b":[0,{"__proto__":1}]}]', '[0].b[1].__proto__', 'Key is not allowed'],
    ['{"constructor":{"prototype":{}}}', 'constructor', 'Key is not allowed'],
    ['{"a":{"constructor":{"prototype":1}}}', 'a.constructor', 'Key is not allowed'],
    ['1e999', '', 'Number is too large'],
    ['{"a":-1e999}', 'a', 'Number is too large'],
    ['{"a":[1,1e999]}', 'a[1]', 'Number is too large'],
    ['"\\ud800"', '', 'String is not valid Unicode'],
    ['{"a":"x\\udc00"}', 'a', 'String is not valid Unicode'],
    ['["\\ude42\\ud83d"]', '[0]', 'String is not valid Unicode'],
    ['{"a\\ud800":1}', 'a\uFFFD', 'Key is not valid Unicode'],
    ['{"b\\ud83d":{"c":1}}', 'b\uFFFD', 'Key is not valid Unicode'],
  ])('%s', (text, path, message) => {
    expect(find(text)).toEqual({ path, message })
  })

  test('64 levels are fine, 65 are not', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      expect(find(nested(64, open, close))).toBeNull()
      expect(find(nested(65, open, close))).toMatchObject({ message: 'Nested deeper than 64 levels' })
    }
  })

  test('a hundred thousand levels do not overflow the stack', () => {
    expect(find(nested(100_000, '[', ']'))).toMatchObject({ message: 'Nested deeper than 64 levels' })
  })

  test('without escapes in the source, strings are not checked', () => {
    expect(findUnsafe({ a: '\ud800' }, false)).toBeNull()
    expect(findUnsafe({ a: 1 / 0 }, false)).not.toBeNull()
  })

  test('a key of any length makes a short path', () => {
    const issue = findUnsafe({ ['x'.repeat(10_000)]: Number.POSITIVE_INFINITY })
    expect(issue?.path.length).toBeLessThan(100)
  })

  test('says of every JSON value what a search over its text says', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), (value) => {
        const bad = hasBad(value)
        expect(findUnsafe(value) === null).toBe(!bad)
      }),
      { numRuns: 2000 },
    )
  })

  test('finds what is planted anywhere', () => {
    const poison = fc.constantFrom('{"__proto__":1}', '1e999', '"\\ud800"', '{"constructor":{"prototype":1}}')
    const good = fc.jsonValue({ maxDepth: 4 }).filter((value) => !hasBad(value))
    fc.assert(
      fc.property(good, poison, fc.array(fc.boolean(), { maxLength: 20 }), (value, bad, wraps) => {
        const side = JSON.stringify(value)
        const plant = (core: string): string =>
          wraps.reduce((text, isArray) => (isArray ? `[${side},${text}]` : `{"s":${side},"k":${text}}`), core)
        expect(find(plant(bad))).not.toBeNull()
        expect(find(plant('1'))).toBeNull()
      }),
      { numRuns: 1000 },
    )
  })
})

test('isUnsafeKey', () => {
  expect(['__proto__', 'constructor', 'prototype', 'proto', ''].map(isUnsafeKey)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
})

function hasBad(value: unknown): boolean {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value)
  if (typeof value === 'number') return !Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, child]) => {
    const isPolluting =
      key === 'constructor' && typeof child === 'object' && child !== null && Object.hasOwn(child, 'prototype')
    return key === '__proto__' || isPolluting || hasBad(key) || hasBad(child)
  })
}
