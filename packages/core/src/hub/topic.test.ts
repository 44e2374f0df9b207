import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { defineTopics, type TopicRules, TopicTable } from './topic.ts'
import type { TopicRule } from './topic-rule.ts'

// A thousand runs are a second's work, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 })

const rule = (): TopicRule => ({ authorize: () => true })
const compileTopicRules = (rules: TopicRules) => {
  const table = new TopicTable()
  table.add(rules, 'The app')
  return (topic: string) => table.find(topic)?.pattern ?? null
}

describe('the rule of a topic', () => {
  const rules = { news: rule(), 'author:*': rule(), 'author:7': rule(), 'author:7:*': rule() }
  const find = compileTopicRules(rules)

  it.each([
    ['news', 'news'],
    ['author:1', 'author:*'],
    ['author:', 'author:*'],
    ['author:7', 'author:7'],
    ['author:7:books', 'author:7:*'],
    ['author:77', 'author:*'],
  ] as const)('%s: the topic itself, else the longest prefix', (topic, pattern) => {
    expect(find(topic)).toBe(pattern)
  })

  it.each(['', 'new', 'news:1', 'author', 'toString', '__proto__'])(
    'of %j, which is not declared, is null',
    (topic) => {
      expect(find(topic)).toBeNull()
    },
  )

  it('of any topic is the one of "*"', () => {
    expect(compileTopicRules({ '*': rule() })('whatever')).toBe('*')
  })

  it.each(['a*b', '*a', 'a**', '**'])('refuses %s', (pattern) => {
    expect(() => compileTopicRules({ [pattern]: rule() })).toThrow(
      expect.objectContaining({
        code: 'bad_option',
        message: `The app: topics['${pattern}']: a pattern may have only one '*', at its end`,
      }),
    )
  })

  it('has a name and a rule, which is said when the app is made', () => {
    expect(() => compileTopicRules({ '': rule() })).toThrow('topics has a rule for the empty string')
    // What JavaScript can pass.
    for (const wrong of [{}, undefined, { authorize: true }])
      expect(() => defineTopics({ news: wrong as TopicRule })).toThrow("topics['news'] must have a function authorize")
  })

  it('is what a search through all patterns finds, in whatever order they stand', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 4 })
    const pattern = fc
      .tuple(part, fc.boolean())
      .map(([text, isPrefix]) => (isPrefix ? `${text}*` : text))
      .filter((text) => text !== '')
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 8 }), part, (patterns, topic) => {
        const all = Object.fromEntries(patterns.map((each) => [each, rule()]))
        const longest = patterns
          .filter((each) => each.endsWith('*') && topic.startsWith(each.slice(0, -1)))
          .sort((a, b) => b.length - a.length)[0]
        const expected = patterns.includes(topic) ? topic : (longest ?? null)
        expect(compileTopicRules(all)(topic)).toBe(expected)
      }),
      { numRuns: 1000 },
    )
  })
})
