import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { toBase64, toJsonValue } from './json-value.ts'

// A thousand runs are a second's work, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 })

const at = new Date('2026-01-02T03:04:05.678Z')
const sent = (value: unknown): unknown => JSON.parse(JSON.stringify(toJsonValue(value)))

describe('toJsonValue', () => {
  it.each([
    ['a date', at, '2026-01-02T03:04:05.678Z'],
    ['an invalid date', new Date(Number.NaN), null],
    ['a big integer', 12345678901234567890n, '12345678901234567890'],
    ['bytes', new Uint8Array([0, 255, 128]), 'AP+A'],
    ['a buffer', Buffer.from('hi'), 'aGk='],
    ['a view of bytes', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), 'AgM='],
    ['no bytes', new Uint8Array(), ''],
    ['NaN', Number.NaN, null],
    ['infinity', Number.POSITIVE_INFINITY, null],
    ['what says itself what it is', { toJSON: () => 'me' }, 'me'],
    [
      'at depth',
      { a: [{ b: at, c: 1n, d: new Uint8Array([1]) }] },
      { a: [{ b: at.toISOString(), c: '1', d: 'AQ==' }] },
    ],
    ['undefined in an object', { a: undefined, b: 1n }, { b: '1' }],
    ['undefined in a list', [undefined, 1n], [null, '1']],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1n }), { a: '1' }],
  ])('%s', (_name, value, form) => {
    expect(sent(value)).toEqual(form)
  })

  it.each([
    ['a Map', new Map(), 'A Map has no JSON form'],
    ['a Set', new Set(), 'A Set has no JSON form'],
    ['a function', () => {}, 'A function has no JSON form'],
    ['a symbol', Symbol('x'), 'A symbol has no JSON form'],
  ])('throws for %s, at any depth', (_name, value, message) => {
    expect(() => toJsonValue(value)).toThrow(message)
    expect(() => toJsonValue({ a: [{ b: value }] })).toThrow(TypeError)
  })

  it('returns what JSON has as the same reference', () => {
    const plain = fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes('e+'))
    fc.assert(
      fc.property(plain, (value) => {
        expect(toJsonValue(value)).toBe(value)
      }),
      { numRuns: 1000 },
    )
    const inner = { list: [1, { a: 'b' }], at, missing: undefined }
    expect(toJsonValue(inner)).toBe(inner)
  })

  it('never touches its argument, and agrees with a plain traversal of every value', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
      fc.bigInt(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ maxLength: 8 }),
    )
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(value, (given) => {
        const before = structuredClone(given)
        expect(JSON.stringify(toJsonValue(given))).toBe(JSON.stringify(byHand(given)))
        expect(given).toEqual(before)
      }),
      { numRuns: 1000 },
    )
  })
})

it('toBase64 writes the standard alphabet', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(new Uint8Array(Buffer.from(toBase64(bytes), 'base64'))).toEqual(bytes)
    }),
    { numRuns: 1000 },
  )
})

function byHand(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return btoa(String.fromCharCode(...value))
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(byHand)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, byHand(item)]))
}
