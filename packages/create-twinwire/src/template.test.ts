import { expect, it } from 'vitest'
import { fillTemplate } from './template.ts'

const words = {
  facts: new Map([
    ['on', true],
    ['off', false],
  ]),
  values: new Map([['name', 'my-app']]),
}
const fill = (...lines: string[]): string[] => fillTemplate('file.ts', lines.join('\n'), words).split('\n')

it('keeps the lines of true conditions, in the comments of any language', () => {
  expect(fill('a', '  //: if on', 'b', '  //: else', 'c', '  //: end', 'd')).toEqual(['a', 'b', 'd'])
  expect(fill('#: if off', 'b', '#: else', 'c', '#: end')).toEqual(['c'])
  expect(fill('<!--: if not off -->', 'b', '<!--: end -->')).toEqual(['b'])
  expect(fill('// a comment: if it has no colon in front, it stays')).toHaveLength(1)
})

it('nests, and knows and, or, not', () => {
  expect(fill('//: if off', '//: if on', 'a', '//: else', 'b', '//: end', '//: else', 'c', '//: end')).toEqual(['c'])
  expect(fill('//: if on and not off', 'a', '//: end', '//: if off or on and off', 'b', '//: end')).toEqual(['a'])
})

it('fills in values and conditional text', () => {
  expect(fill('{{name}}: {{on:yes, }}{{off:no, }}{{on or off:last}}')).toEqual(['my-app: yes, last'])
  // Of GitHub Actions.
  expect(fill('{{ matrix.node }}')).toEqual(['{{ matrix.node }}'])
})

it.each([
  [['a', '//: if on'], 'file.ts:2: this if has no end'],
  [['//: end'], 'file.ts:1: end without an if'],
  [['//: if unknown', '//: end'], 'file.ts:1: there is no option "unknown"'],
  [['{{unset}}'], 'file.ts:1: there is no value "unset"'],
])('%j: %s', (lines, message) => {
  expect(() => fill(...lines)).toThrow(new Error(message))
})
