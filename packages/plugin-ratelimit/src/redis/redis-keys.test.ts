import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Rule } from '../rule.ts'
import { bucketKey, connectionsKey, groupByHashSlot } from './redis-keys.ts'

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
/** As Redis Cluster computes it: from the first `{` to the next `}`, unless nothing is between them. */
const hashTag = (key: string): string | undefined => /\{([^}]+)\}/.exec(key)?.[1]

describe('keys in Redis', () => {
  it('contain scope, key and rule', () => {
    expect(bucket('identity', 'ada')).toBe('p:limit:{identity:ada}:default')
    expect(bucket('address', '2001:db8::/64', 'login')).toBe('p:limit:{address:2001:db8::/64}:login')
    expect(bucket('route', '', 'export')).toBe('p:limit:{route:export/}:export')
    expect(connectionsKey('p:', { scope: 'identity', key: 'ada', max: 5 })).toBe('p:connections:{identity:ada}')
  })

  it('share a hash tag if and only if they belong to the same identity, whatever characters it contains', () => {
    // Braces, escape sequences, the prefix of a hash, and keys that are too long.
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

  it('do not collide when a key equals the hash of another', () => {
    const long = bucket('identity', 'x'.repeat(200))
    const short = hashTag(long)?.replace('identity:', '') ?? ''
    expect(bucket('identity', short)).not.toBe(long)
  })

  it('are grouped by hash tag in a cluster, and not grouped on one server', () => {
    const keys = ['p:{a}:1', 'p:{b}:1', 'p:{a}:2']
    const groups = groupByHashSlot(keys, (key) => key, true)
    expect(groups.map(({ items }) => items)).toEqual([['p:{a}:1', 'p:{a}:2'], ['p:{b}:1']])
    expect(groupByHashSlot(keys, (key) => key, false)).toEqual([{ keys, items: keys }])
  })
})
