import { expect, it } from 'vitest'
import { findLostNumber, parseNumber } from './numbers.ts'

it.each([
  ['0', 0],
  ['-1.50', -1.5],
  ['1e20', 1e20],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['0.1234567890123456789', 0.12345678901234568],
])('%s is a number', (text, value) => {
  expect(parseNumber(text)).toEqual({ value })
})

it.each(['0x10', '010', '1,5', '.5', '5.', '+1', '1_000', 'Infinity', 'NaN', '0b1', '--1'])('%s is none', (text) => {
  expect(parseNumber(text)).toEqual({ problem: `${text} is not a number` })
})

it('an integer that a page would change is refused, with what would be sent', () => {
  for (const [text, sent] of [
    ['9007199254740993', '9007199254740992'],
    ['-9007199254740993', '-9007199254740992'],
    ['12345678901234567890', '12345678901234567000'],
  ])
    expect(parseNumber(text ?? '')).toEqual({ problem: expect.stringContaining(`${text} would be sent as ${sent}`) })
  expect(parseNumber('1e400')).toEqual({ problem: '1e400 is too large for a number' })
})

it('finds such numbers in JSON, and not in its strings', () => {
  expect(findLostNumber('{"id": 9007199254740993}')).toContain('9007199254740993 would be sent as')
  expect(findLostNumber('[1, {"a": [-9007199254740993]}]')).toContain('-9007199254740993')
  expect(findLostNumber('{"9007199254740993": "a \\" 9007199254740993", "b": [1, -2.5e3, 0], "c": true}')).toBeNull()
})
