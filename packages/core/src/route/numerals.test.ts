import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { toBigint, toBoolean, toDate, toInteger, toNumber } from './numerals.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const runs = { numRuns: 2000 }

describe('toNumber', () => {
  test.each([
    ['0', 0],
    ['7', 7],
    ['-7', -7],
    ['1.5', 1.5],
    ['1e3', 1000],
    ['1E-3', 0.001],
    ['1e+21', 1e21],
    ['0.0', 0],
    ['0e5', 0],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['1e308', 1e308],
  ])('%s', (text, value) => {
    expect(toNumber(text)).toBe(value)
  })

  test.each([
    '',
    ' ',
    '1 ',
    ' 1',
    '+1',
    '01',
    '-',
    '.5',
    '5.',
    '1e',
    'e1',
    '0x10',
    '0b1',
    '0o7',
    '1_000',
    '1,5',
    'NaN',
    'Infinity',
    '-Infinity',
    'null',
    '1n',
    '1e999',
    '-1e999',
    '1e-999',
    '9007199254740993',
    '-9007199254740993',
    '\u0661',
    '1\n',
    '--1',
    '1.2.3',
  ])('%j is none', (text) => {
    expect(toNumber(text)).toBeUndefined()
  })

  test('reads back every finite number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(toNumber(String(value))).toBe(value === 0 ? 0 : value)
      }),
      runs,
    )
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(toNumber(String(value))).toBe(value)
      }),
      runs,
    )
  })

  test('agrees with JSON on what is a number, and never rounds a whole one', () => {
    const soup = fc.string({ unit: fc.constantFrom('0', '1', '9', '.', 'e', 'E', '+', '-', 'x', ' '), maxLength: 20 })
    fc.assert(
      fc.property(soup, (text) => {
        const value = toNumber(text)
        if (value === undefined) return
        expect(value).toBe(JSON.parse(text))
        if (/^-?\d+$/.test(text)) expect(String(value === 0 ? 0 : value)).toBe(text === '-0' ? '0' : text)
      }),
      runs,
    )
  })
})

test('toInteger takes whole numerals up to 2^53 - 1', () => {
  expect(toInteger('7')).toBe(7)
  expect(toInteger('-9007199254740991')).toBe(-9007199254740991)
  for (const text of ['7.0', '1e3', '9007199254740992', '', '0x1', '007']) expect(toInteger(text)).toBeUndefined()
})

test('toBigint reads back every bigint', () => {
  fc.assert(
    fc.property(fc.bigInt(), (value) => {
      expect(toBigint(String(value))).toBe(value)
    }),
    runs,
  )
  for (const text of ['', ' ', '0x1', '1.0', '1e3', '1n', '01', '1'.repeat(1025)])
    expect(toBigint(text)).toBeUndefined()
})

test('toBoolean', () => {
  expect([toBoolean('true'), toBoolean('1'), toBoolean('false'), toBoolean('0')]).toEqual([true, true, false, false])
  for (const text of ['', 'TRUE', 'yes', 'no', 'on', '2', ' true']) expect(toBoolean(text)).toBeUndefined()
})

describe('toDate', () => {
  test.each([
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-02-29T12:30Z', '2024-02-29T12:30:00.000Z'],
    ['2024-02-29T12:30:15.5Z', '2024-02-29T12:30:15.500Z'],
    ['2024-02-29T12:00:00+01:00', '2024-02-29T11:00:00.000Z'],
    ['2024-02-29T12:00:00.123456789-05:30', '2024-02-29T17:30:00.123Z'],
  ])('%s', (text, expected) => {
    expect(toDate(text)?.toISOString()).toBe(expected)
  })

  test.each([
    '',
    '2023-02-29',
    '2024-02-30',
    '2024-04-31',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '2024-01-01T12:00:00',
    '2024-01-01T24:00:00Z',
    '2024-01-01T12:60Z',
    '2024-1-1',
    '2024',
    '2024-01',
    'yesterday',
    '1700000000000',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    '-000000-01-01',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01 00:00:00Z',
  ])('%j is none', (text) => {
    expect(toDate(text)).toBeUndefined()
  })

  test('reads back every valid Date', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(toDate(date.toISOString())?.getTime()).toBe(date.getTime())
      }),
      runs,
    )
  })
})

test('no text makes any of them throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const read of [toNumber, toInteger, toBigint, toBoolean, toDate]) read(text)
    }),
    runs,
  )
})
