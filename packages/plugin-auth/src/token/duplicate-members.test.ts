import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hasDuplicateMembers } from './jose.ts'

it.each([
  '{"sub":"a","sub":"b"}',
  '{"a":{"sub":1,"x":[],"sub":2}}',
  '[{"a":1},{"b":1,"b":2}]',
  '{"s\\u0075b":"a","sub":"b"}',
  '{ "a" : 1 , "a" : 1 }',
  '{"a":{"a":1},"b":[{"a":1}],"a":2}',
  '{"__proto__":1,"__proto__":2}',
])('finds a duplicate member: %s', (json) => {
  expect(hasDuplicateMembers(json)).toBe(true)
})

it.each([
  '{"a":{"a":1},"b":{"a":1}}',
  '{"a":"a\\":","b":"a"}',
  '{"a":["a","a"],"b":"\\"a\\":1,\\"a\\":2"}',
  '',
  '{',
  '}}:"x"::',
  '"a":"a":',
])('finds none in %s', (json) => {
  expect(hasDuplicateMembers(json)).toBe(false)
})

it('finds none in output of JSON.stringify, and never throws', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => !hasDuplicateMembers(JSON.stringify(value))))
  fc.assert(fc.property(fc.string(), (text) => typeof hasDuplicateMembers(text) === 'boolean'))
})

// The sender of a token controls its header. In quadratic time this text would take minutes.
it('takes linear time', () => {
  expect(hasDuplicateMembers(`"${'\\"'.repeat(200_000)}`)).toBe(false)
})
