import { expect, it } from 'vitest'
import { findLost } from './lost.ts'

it.each([
  [
    { name: '', tags: [], a: null, b: { c: [1, { d: false }] } },
    { b: { c: [1, { d: false }] }, a: null, tags: [], name: '' },
  ],
  [{}, { name: 'offered by the form' }],
  [undefined, undefined],
])('%j is all in %j', (value, held) => {
  expect(findLost(value, held)).toBeNull()
})

it.each([
  [{ name: '' }, {}, 'name'],
  [{ tags: [] }, {}, 'tags'],
  [{ a: { b: [1, 2] } }, { a: { b: [1] } }, 'a.b'],
  [{ a: [{ b: 1 }] }, { a: [{ b: '1' }] }, 'a[0].b'],
  [{ unknown: 1 }, { known: 1 }, 'unknown'],
  [{ toString: 1 }, {}, 'toString'],
  [{ a: null }, { a: {} }, 'a'],
  [[1], {}, 'the input'],
])('of %j in %j is lost: %s', (value, held, lost) => {
  expect(findLost(value, held)).toBe(lost)
})
