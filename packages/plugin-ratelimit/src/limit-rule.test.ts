import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LimitOptions, type LimitRule, parseLimit, toRule } from './limit-rule.ts'

/** As a configuration from JSON might have it. */
const parse = (rule: unknown) => parseLimit('limit()', rule as LimitRule<never>)
const good: LimitOptions = { points: 10, per: '1s' }

describe('a limit', () => {
  it.each([
    ['100/m', 100, 60_000],
    ['1/s', 1, 1000],
    ['5/h', 5, 3_600_000],
    ['10000/d', 10_000, 86_400_000],
  ] as const)('of the text %s', (text, points, periodMs) => {
    expect(parse(text)).toEqual({ points, periodMs, burst: 0, cost: 1, key: 'identity', name: null })
  })

  it.each([
    '',
    '100',
    '100/',
    '/m',
    '0/m',
    '-1/m',
    '01/m',
    '1.5/s',
    '1e3/s',
    '100/w',
    '100/M',
    '100 / m',
    ' 100/m',
    '100/m ',
    '100/mm',
    '100/1m',
    '99999999999/m',
    '１/m',
  ])('does not boot as %j', (text) => {
    expect(() => parse(text)).toThrow(/^limit\(\): '.*' is no limit: write points\/unit/)
  })

  it.each([
    ['500ms', 500],
    ['1s', 1000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['366d', 366 * 86_400_000],
  ] as const)('per %s', (per, periodMs) => {
    expect(parse({ points: 10, per }).periodMs).toBe(periodMs)
  })

  it.each([
    [{ per: '1s' }, 'points must be a whole number from 1 to 1000000000, not undefined'],
    [{ ...good, points: 0 }, 'points must be a whole number'],
    [{ ...good, points: 1.5 }, 'points must be a whole number'],
    [{ ...good, points: '10' }, 'points must be a whole number'],
    [{ ...good, points: Number.NaN }, 'points must be a whole number'],
    [{ points: 1 }, "per must be a time such as '1s', '5m' or '1h', not 'undefined'"],
    [{ ...good, per: 1000 }, 'per must be a time'],
    [{ ...good, per: '0s' }, 'per must be a time'],
    [{ ...good, per: '1 s' }, 'per must be a time'],
    [{ ...good, per: '367d' }, 'the period must be at most 366 days'],
    [{ ...good, burst: -1 }, 'burst must be a whole number from 0'],
    [{ ...good, cost: 0 }, 'cost must be a whole number from 1 to 10, not 0'],
    [{ ...good, cost: 11 }, 'cost must be a whole number from 1 to 10, not 11'],
    [{ ...good, key: 'user' }, "key must be 'identity', 'address', 'route' or a function of the call"],
    [{ ...good, name: '' }, 'name must be 1 to 100 printable'],
    [{ ...good, name: 'a"b' }, 'name must be 1 to 100 printable'],
    [{ ...good, name: 'a{b}' }, 'name must be 1 to 100 printable'],
    [{ points: 30_001, per: '1s' }, 'more than 10,000 points in a second'],
    [{ points: 1_000_000_000, per: '1s' }, 'more than 10,000 points in a second'],
    [{ points: 1, per: '366d', burst: 40 }, 'burst is too large for so long a period'],
    [{ ...good, window: 1 }, 'Unknown option of limit(): window; known: points, per, burst, cost, key, name'],
    [null, 'limit() takes an object of options'],
    [undefined, 'limit() takes an object of options'],
    [100, 'limit() takes an object of options'],
  ])('does not boot as %j', (rule, message) => {
    expect(() => parse(rule)).toThrow(message)
  })

  it('has figures that are safe integers, less than a hundredth from what is written, and never under it', () => {
    const figures = fc.record({
      points: fc.integer({ min: 1, max: 10_000 }),
      seconds: fc.integer({ min: 1, max: 366 * 86_400 }),
      burst: fc.nat({ max: 100 }),
    })
    fc.assert(
      fc.property(figures, ({ points, seconds, burst }) => {
        fc.pre((points + burst) * (seconds / points) < 900_000_000)
        const rule = toRule(parseLimit('limit()', { points, per: `${BigInt(seconds)}s`, burst }), 'a', 'identity')
        const exactUs = (seconds * 1_000_000) / points
        expect(
          Number.isSafeInteger(rule.intervalUs) && Number.isSafeInteger(rule.spanUs + Date.UTC(2200, 0) * 1000),
        ).toBe(true)
        expect(rule.intervalUs).toBeLessThanOrEqual(exactUs)
        expect(rule.intervalUs).toBeGreaterThan(exactUs * 0.99)
        expect([rule.capacity, rule.spanUs]).toEqual([points + burst, rule.capacity * rule.intervalUs])
      }),
      { numRuns: 1000 },
    )
  })
})
