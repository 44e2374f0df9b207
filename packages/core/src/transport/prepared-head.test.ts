import { expect, it } from 'vitest'
import { PreparedHead } from './prepared-head.ts'

const text = (head: PreparedHead, value: string): string | null => {
  const bytes = head.compose(value)
  return bytes === null ? null : `${head.firstName}: ${Buffer.from(bytes).toString('latin1')}`
}

it('composes all headers around the value', () => {
  const head = new PreparedHead(
    [
      ['a', '1'],
      ['b', '2'],
    ],
    'id',
    [['c', '3']],
  )
  expect(text(head, 'x')).toBe('a: 1\r\nb: 2\r\nid: x\r\nc: 3')
  expect(text(head, 'longer')).toBe('a: 1\r\nb: 2\r\nid: longer\r\nc: 3')
  expect(text(head, 'y')).toBe('a: 1\r\nb: 2\r\nid: y\r\nc: 3')
  expect(head.toList('x').map((pair) => pair.join('='))).toEqual(['a=1', 'b=2', 'id=x', 'c=3'])
  expect(['a', 'b', 'id', 'c', 'd'].map((name) => head.has(name))).toEqual([true, true, true, true, false])
})

it('may have no other header', () => {
  expect(text(new PreparedHead([], 'id', []), 'x')).toBe('id: x')
})

it('keeps the bytes of each length, or only those of the last', () => {
  const lengths = new PreparedHead([], 'id', [])
  const bytes = lengths.compose('a')
  lengths.compose('bb')
  expect(lengths.compose('c')).toBe(bytes)
  const last = new PreparedHead([], 'id', [['c', '3']], 'last')
  const first = last.compose('a')
  expect(last.compose('b')).toBe(first)
  expect(text(last, 'bb')).toBe('id: bb\r\nc: 3')
  expect(last.compose('c')).not.toBe(first)
  expect(text(last, 'c')).toBe('id: c\r\nc: 3')
})

it('leaves out what the transport writes itself', () => {
  const head = new PreparedHead(
    [
      ['content-length', '1'],
      ['a', 'ü'],
    ],
    'id',
    [['date', 'now']],
  )
  expect(text(head, 'x')).toBe('a: ü\r\nid: x')
  expect(head.has('date')).toBe(false)
})

it.each(['', ' ', 'a b', 'a\r\nb: c', 'a\n', 'caf\u00e9', '\u010a', '\u0141', '\u007f', 'x'.repeat(129)])(
  'composes nothing with %j',
  (value) => {
    expect(text(new PreparedHead([], 'id', []), value)).toBe(null)
  },
)

it.each([
  [[['a', 'b\r\nc: d']], 'id'],
  [[['a b', 'c']], 'id'],
  [[], 'i\nd'],
] as const)('refuses a header that would break the answer (%#)', (before, name) => {
  expect(() => new PreparedHead(before, name, [])).toThrow(TypeError)
})
