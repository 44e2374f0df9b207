import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toFingerprint } from './fingerprint.ts'

test('inputs that are equal as JSON, whatever the order of their keys, have one fingerprint, and others another', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, part]) => [key, shuffled(part)]),
    )
  }
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(toFingerprint(shuffled(a))).toBe(toFingerprint(a))
      const same = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
      expect(toFingerprint(a) === toFingerprint(b)).toBe(same)
    }),
  )
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  // As JSON writes it.
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  // An object stays one: {} is not [].
  return { entries: entries.map(([key, part]) => [key, sorted(part)]) }
}

test('values that schemas make are told apart', () => {
  const bytes = new Uint8Array([1, 2])
  const values = [
    1,
    1n,
    '1',
    true,
    'true',
    null,
    'null',
    undefined,
    [],
    {},
    [undefined],
    [null],
    new Date(1),
    'date 1',
    bytes,
    'AQI=',
    new Map([[1, 2]]),
    new Set([1]),
    [1],
    [[1, 2]],
    '',
    NaN,
    Infinity,
    { a: undefined, b: 1 },
    { a: null, b: 1 },
  ]
  expect(new Set(values.map(toFingerprint)).size).toBe(values.length)
  expect(toFingerprint({ b: 1, a: undefined })).toBe(toFingerprint({ b: 1 }))
  expect(toFingerprint(new Date(1))).toBe(toFingerprint(new Date(1)))
  expect(toFingerprint({ at: { toJSON: () => 'x' } })).toBe(toFingerprint({ at: 'x' }))
})
