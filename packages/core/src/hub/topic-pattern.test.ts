import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { defineTopics } from './topic.ts'
import { comparePatterns, overlap, parsePattern } from './topic-pattern.ts'
import type { TopicRule } from './topic-rule.ts'

vi.setConfig({ testTimeout: 60_000 })

const rule: TopicRule = { authorize: () => true }
const parse = (text: string) => parsePattern(text, 'topics')

describe('a pattern', () => {
  it.each([
    ['ticket:{id}', 'ticket:7', { id: '7' }],
    ['ticket:{id}', 'ticket:', null],
    ['ticket:{id}', 'ticket:7:8', null],
    ['ticket:{id}', 'xticket:7', null],
    ['{a}', 'anything', { a: 'anything' }],
    ['team:{team}:chat:{chat_2}', 'team:a b:chat:{x}', { team: 'a b', chat_2: '{x}' }],
    ['team:{team}:*', 'team:a:', { team: 'a' }],
    ['team:{team}:*', 'team:a', null],
    ['a.b:{c}', 'aXb:1', null],
    ['constructor:{id}', 'constructor:1', { id: '1' }],
    ['news', 'news', {}],
    ['author:*', 'author:7:x', {}],
  ])('%s of %s has the parameters %j', (pattern, topic, params) => {
    expect(parse(pattern).read(topic)).toEqual(params)
    expect(parse(pattern).matches(topic)).toBe(params !== null)
  })

  it.each([
    ['@me', "begin with '@'"],
    ['@x:*', "begin with '@'"],
    ['a:{', 'a parameter is a whole segment'],
    ['a:}', 'a parameter is a whole segment'],
    ['a:{}', 'a parameter is a whole segment'],
    ['a:{b', 'a parameter is a whole segment'],
    ['a:{b}c', 'a parameter is a whole segment'],
    ['a:x{b}', 'a parameter is a whole segment'],
    ['a:{b}{c}', 'a parameter is a whole segment'],
    ['a:{b c}', 'a parameter is a whole segment'],
    ['a:{1}', 'a parameter is a whole segment'],
    ['a:{b:c}', 'a parameter is a whole segment'],
    ['a:{b}*', 'a parameter is a whole segment'],
    ['a:{b}:{b}', "the parameter 'b' occurs twice"],
    ['a:*:{b}', "only one '*', at its end"],
  ])('%s is a boot error', (pattern, message) => {
    expect(() => parse(pattern)).toThrow(
      expect.objectContaining({ code: 'bad_option', message: expect.stringContaining(message) }),
    )
  })

  it.each([
    ['a:{x}', 'a:{y}'],
    ['a:{x}', '{y}:b'],
    ['team:{t}:*', 'team:1*'],
    ['{a}:*', '{b}:*'],
  ])('%s and %s fit one topic equally, which is a boot error that names both', (one, other) => {
    expect(() => defineTopics({ [one]: rule, [other]: rule })).toThrow(
      expect.objectContaining({
        code: 'duplicate_topic',
        message: expect.stringMatching(/topics\['.+'\] and '.+' of defineTopics\(\) fit the same topics equally well/),
      }),
    )
  })

  it.each([
    ['a:{x}', 'b:{y}'],
    ['a:{x}', 'a:{x}:c'],
    ['a:{x}', 'a:*'],
    ['a:{x}', 'a:7'],
    ['a:b*', 'a:c*'],
    ['a:b:{x}', 'a:{y}:{x}'],
  ])('%s and %s do not conflict', (one, other) => {
    expect(() => defineTopics({ [one]: rule, [other]: rule })).not.toThrow()
  })

  // A naive model: segments one by one.
  const part = fc.constantFrom('a', 'b', 'ab', '{x}', '')
  const pattern = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '*', ':*'))
    .map(([parts, end]) => parts.map((each, i) => (each === '{x}' ? `{p${i}}` : each)).join(':') + end)
    .filter((text) => text !== '' && !text.endsWith('}*'))
  const segment = fc.string({ unit: fc.constantFrom('a', 'b', '7'), maxLength: 2 })
  const topic = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'))

  it('fits what a naive model says', () => {
    fc.assert(
      fc.property(pattern, topic, (text, name) => {
        expect(parse(text).matches(name)).toBe(naiveFit(text, name))
      }),
      { numRuns: 5000 },
    )
  })

  it('overlaps another if there is a topic that both fit', () => {
    fc.assert(
      fc.property(pattern, pattern, topic, (one, other, name) => {
        const [a, b] = [parse(one), parse(other)]
        if (a.matches(name) && b.matches(name)) expect(overlap(a, b)).toBe(true)
        expect(overlap(a, b)).toBe(overlap(b, a))
        expect(comparePatterns(a, b)).toBe(-comparePatterns(b, a) + 0)
      }),
      { numRuns: 5000 },
    )
  })

  it('does not overlap another if no short topic fits both', () => {
    const short = pattern.filter((text) => text.replaceAll(/[{}p\d]/g, '').length <= 4)
    const names = ['']
    for (let length = 0; length < 7; length++)
      for (const name of names.filter((each) => each.length === length))
        for (const next of ['a', 'b', ':']) names.push(name + next)
    fc.assert(
      fc.property(short, short, (one, other) => {
        const [a, b] = [parse(one), parse(other)]
        const witness = names.some((name) => a.matches(name) && b.matches(name))
        expect(overlap(a, b)).toBe(witness)
      }),
      { numRuns: 300 },
    )
  })
})

function naiveFit(pattern: string, topic: string): boolean {
  const isPrefix = pattern.endsWith('*')
  const wanted = (isPrefix ? pattern.slice(0, -1) : pattern).split(':')
  const given = topic.split(':')
  const fits = (want: string, have: string | undefined): boolean =>
    want.startsWith('{') ? have !== undefined && have !== '' : want === have
  if (!isPrefix) return wanted.length === given.length && wanted.every((want, i) => fits(want, given[i]))
  const last = wanted.length - 1
  if (given.length < wanted.length) return false
  return wanted.every((want, i) => (i === last ? given[i]?.startsWith(want) === true : fits(want, given[i])))
}
