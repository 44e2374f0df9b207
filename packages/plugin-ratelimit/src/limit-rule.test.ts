import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LimitOptions, type LimitRule, parseLimit, toRule } from './limit-rule.ts'

/** The type of a configuration that was read from JSON. */
const parse = (rule: unknown) => parseLimit('limit()', '', rule as LimitRule<never>)
const good: LimitOptions = { points: 10, per: '1s' }

describe('a limit', () => {
  it.each([
    ['100/m', 100, 60_000],
    ['1/s', 1, 1000],
    ['5/h', 5, 3_600_000],
    ['10000/d', 10_000, 86_400_000],
  ] as const)('as the string %s', (string, points, periodMs) => {
    expect(parse(string)).toEqual({ points, periodMs, burst: 0, cost: 1, key: 'identity', name: null })
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
  ])('refuses the string %j', (string) => {
    expect(() => parse(string)).toThrow(
      "limit(): the limit must be points/unit with the unit s, m, h or d, such as '100/m', or an object of options, received '",
    )
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
    [{ per: '1s' }, 'limit(): points is required: set it to an integer from 1 to 1000000000'],
    [{ ...good, points: 0 }, 'points must be an integer from 1 to 1000000000, received'],
    [{ ...good, points: 1.5 }, 'points must be an integer from 1 to 1000000000, received'],
    [{ ...good, points: '10' }, 'points must be an integer from 1 to 1000000000, received'],
    [{ ...good, points: Number.NaN }, 'points must be an integer from 1 to 1000000000, received'],
    [{ points: 1 }, "per is required: set it to a duration such as '1s', '5m' or '1h', at most 366 days"],
    [{ ...good, per: 1000 }, 'per must be a duration'],
    [{ ...good, per: '0s' }, 'per must be a duration'],
    [{ ...good, per: '1 s' }, 'per must be a duration'],
    [{ ...good, per: '367d' }, "per must be a duration such as '1s', '5m' or '1h', at most 366 days, received '367d'"],
    [{ ...good, burst: -1 }, 'burst must be an integer from 0 to 1000000000, received -1'],
    [{ ...good, cost: 0 }, 'cost must be an integer of at least 1, received 0'],
    [{ ...good, cost: 11 }, 'cost must be at most points and burst together (10), received 11'],
    [{ ...good, key: 'user' }, "key must be 'identity', 'address', 'route' or a function of the call"],
    [{ ...good, name: '' }, 'name must be 1 to 100 printable'],
    [{ ...good, name: 'a"b' }, 'name must be 1 to 100 printable'],
    [{ ...good, name: 'a{b}' }, 'name must be 1 to 100 printable'],
    [{ points: 30_001, per: '1s' }, 'points must be at most 10,000 per second: more cannot be counted exactly'],
    [{ points: 1_000_000_000, per: '1s' }, 'points must be at most 10,000 per second: more cannot be counted exactly'],
    [
      { points: 1, per: '366d', burst: 40 },
      'burst is too large: the bucket would need more than 31 years to refill, received 40',
    ],
    [{ ...good, window: 1 }, 'limit(): window is not an option. Known options: points, per, burst, cost, key, name'],
    [null, 'limit(): the limit must be points/unit with the unit s, m, h or d, such as'],
    [undefined, 'or an object of options'],
    [100, 'or an object of options, received 100'],
  ])('refuses %j', (rule, message) => {
    expect(() => parse(rule)).toThrow(message)
  })

  it('computes safe integers that are less than 1% from the declared values, and never stricter', () => {
    const figures = fc.record({
      points: fc.integer({ min: 1, max: 10_000 }),
      seconds: fc.integer({ min: 1, max: 366 * 86_400 }),
      burst: fc.nat({ max: 100 }),
    })
    fc.assert(
      fc.property(figures, ({ points, seconds, burst }) => {
        fc.pre((points + burst) * (seconds / points) < 900_000_000)
        const rule = toRule(parseLimit('limit()', '', { points, per: `${BigInt(seconds)}s`, burst }), 'a', 'identity')
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
