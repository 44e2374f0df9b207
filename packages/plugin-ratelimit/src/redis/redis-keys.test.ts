import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Rule } from '../rule.ts'
import { bucketKey, seatKey } from './redis-keys.ts'
import { groupBySlot } from './slots.ts'

const rule = (scope: Rule['scope'], name = 'default'): Rule => ({
  name,
  scope,
  points: 1,
  periodMs: 1,
  burst: 0,
  capacity: 1,
  intervalUs: 1000,
  spanUs: 1000,
})
const bucket = (scope: Rule['scope'], key: string, name?: string): string =>
  bucketKey('p:', { rule: rule(scope, name), key, cost: 1 })
/** As Redis Cluster finds it: from the first `{` to the first `}` behind it, unless nothing is between. */
const hashTag = (key: string): string | undefined => /\{([^}]+)\}/.exec(key)?.[1]

describe('keys in Redis', () => {
  it('name scope, key and rule', () => {
    expect(bucket('identity', 'ada')).toBe('p:limit:{identity:ada}:default')
    expect(bucket('address', '2001:db8::/64', 'login')).toBe('p:limit:{address:2001:db8::/64}:login')
    expect(bucket('route', '', 'export')).toBe('p:limit:{route:export/}:export')
    expect(seatKey('p:', { scope: 'identity', key: 'ada', max: 5 })).toBe('p:seats:{identity:ada}')
  })

  it('share a tag when they are of one identity, whatever it is called, and only then', () => {
    // What could be taken for a brace, an escape or a short form, and texts that are too long.
    const pieces = fc.constantFrom('{', '}', '%', '%7B', '%7D', '%=', ':', '/', 'a', 'ü', 'x'.repeat(60))
    const names = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(names, names, (a, b) => {
        const tag = hashTag(bucket('identity', a))
        expect(tag).toBeDefined()
        expect(hashTag(bucket('identity', a, 'other'))).toBe(tag)
        expect(hashTag(bucket('identity', b)) === tag).toBe(a === b)
        expect(bucket('identity', a).length).toBeLessThan(450)
      }),
      { numRuns: 1000 },
    )
  })

  it('do not collide when one looks like the short form of another', () => {
    const long = bucket('identity', 'x'.repeat(200))
    const short = hashTag(long)?.replace('identity:', '') ?? ''
    expect(bucket('identity', short)).not.toBe(long)
  })

  it('are grouped by tag in a cluster, and not at all on one server', () => {
    const keys = ['p:{a}:1', 'p:{b}:1', 'p:{a}:2']
    const groups = groupBySlot(keys, (key) => key, true)
    expect(groups.map(({ items }) => items)).toEqual([['p:{a}:1', 'p:{a}:2'], ['p:{b}:1']])
    expect(groupBySlot(keys, (key) => key, false)).toEqual([{ keys, items: keys }])
  })
})
