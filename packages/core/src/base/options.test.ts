import { describe, expect, it } from 'vitest'
import { BootError } from './boot-error.ts'
import { option } from './option.ts'
import type { OptionRule } from './option-rule.ts'
import { badOption, checkOption, checkOptions } from './options.ts'

/** The code and the message of the error that `action` throws. */
function errorOf(action: () => unknown): string {
  try {
    return `no error: ${JSON.stringify(action())}`
  } catch (error) {
    if (!(error instanceof BootError)) throw error
    return `${error.code}: ${error.message}`
  }
}

describe('checkOptions', () => {
  const rules = {
    retries: option.integer({ min: 1, max: 10, default: 3 }),
    ratio: option.number({ min: 0, max: 1 }),
    url: option.string({ secret: true, default: 'mail://localhost' }),
    breaker: option.object({ failures: option.integer({ min: 1, default: 5 }), enabled: option.flag() }),
  }

  it('fills in defaults, also for what is undefined, and leaves the rest out', () => {
    const defaults = { retries: 3, url: 'mail://localhost', breaker: { failures: 5 } }
    expect(checkOptions('mail()', {}, rules)).toStrictEqual(defaults)
    expect(checkOptions('mail()', { retries: undefined, breaker: undefined }, rules)).toStrictEqual(defaults)
    expect(checkOptions('mail()', { retries: 1, breaker: { failures: 2 } }, rules)).toMatchObject({
      retries: 1,
      breaker: { failures: 2 },
    })
  })

  it.each([
    [{ retires: 3 }, "retires is not an option. Did you mean 'retries'? Known options: retries, ratio, url, breaker"],
    [{ RETRIES: 3 }, "RETRIES is not an option. Did you mean 'retries'? Known options: retries, ratio, url, breaker"],
    [{ attempts: 3 }, 'attempts is not an option. Known options: retries, ratio, url, breaker'],
    [{ x: undefined }, 'x is not an option. Known options: retries, ratio, url, breaker'],
    [
      { breaker: { failure: 1 } },
      "breaker.failure is not an option. Did you mean 'failures'? Known options: failures, enabled",
    ],
  ])('refuses the unknown option of %o', (options, message) => {
    expect(errorOf(() => checkOptions('mail()', options, rules))).toBe(`unknown_option: mail(): ${message}`)
  })

  it.each([
    [{ retries: 0 }, 'retries must be an integer from 1 to 10, received 0'],
    [{ breaker: { failures: 0 } }, 'breaker.failures must be an integer of at least 1, received 0'],
    [{ breaker: true }, 'breaker must be an object of options, received true'],
    [{ breaker: [] }, 'breaker must be an object of options, received an empty list'],
    [{ breaker: null }, 'breaker must be an object of options, received null'],
    [{ url: 7 }, 'url must be a string that is not empty'],
  ])('names the option by its path, the bound, and the value unless it is a secret: %o', (options, message) => {
    expect(errorOf(() => checkOptions('mail()', options, rules))).toBe(`bad_option: mail(): ${message}`)
  })

  it('takes the path of options within options', () => {
    expect(errorOf(() => checkOptions('app()', { retries: 0 }, { retries: rules.retries }, 'mail'))).toBe(
      'bad_option: app(): mail.retries must be an integer from 1 to 10, received 0',
    )
    expect(errorOf(() => checkOptions('app()', { retry: 0 }, { a: rules.retries }, 'mail'))).toBe(
      'unknown_option: app(): mail.retry is not an option. Known options: a',
    )
  })

  it('asks for a required option, also within others', () => {
    const required = { key: option.string({ required: true, expects: 'the key of the account', test: () => true }) }
    expect(errorOf(() => checkOptions('mail()', {}, required))).toBe(
      'bad_option: mail(): key is required: set it to the key of the account',
    )
    expect(errorOf(() => checkOptions('mail()', {}, { account: option.object(required) }))).toBe(
      'bad_option: mail(): account is required: set it to an object of options',
    )
  })

  it('does not take an inherited property for an option of its table', () => {
    expect(errorOf(() => checkOptions('mail()', { toString: 1 }, rules))).toContain('toString is not an option')
  })
})

describe('a rule', () => {
  const mark = (value: unknown): value is symbol => typeof value === 'symbol'
  const host = option.string({ expects: 'a host name', test: (value) => /^\w+$/.test(value) })

  it.each([
    [option.integer(), [0, 1, Number.MAX_SAFE_INTEGER], [-1, 1.5, Number.NaN, '1', 2 ** 53, null, 1n]],
    [option.integer({ min: -2, max: 2 }), [-2, 2], [-3, 3]],
    [option.number(), [-1.5, 0], [Number.NaN, Number.POSITIVE_INFINITY, '1']],
    [option.number({ min: 0, max: 1 }), [0, 0.5, 1], [-0.1, 1.1]],
    [option.duration(), [0, 86_400_000], [-1, 0.5, 86_400_001, '5s']],
    [option.bytes(), [1, 1_048_576], [0, 1.5, '1MiB']],
    [option.choice(['a', 'b', false]), ['a', false], ['c', true, null]],
    [option.flag(), [true, false], ['true', 0, null]],
    [option.string(), ['a'], ['', 1, null, ['a']]],
    [host, ['a'], ['a b', 1]],
    [option.list({ of: host, expects: 'a list' }), [[], ['a', 'b']], ['a', ['a b'], [1], [undefined], null]],
    [option.list({ of: host, expects: 'a list', min: 1 }), [['a']], [[]]],
    [option.callback(), [() => {}], ['f', {}, null]],
    [option.custom({ expects: 'a symbol', is: mark }), [Symbol.iterator], ['a']],
    [option.path(), ['/a', '/a/b-c_d.~'], ['a', '/', '/a/', '/a b', '/:id', '/*', '/a?b', 1]],
    [option.anyOf([option.choice([false]), option.integer({ min: 1 })]), [false, 1], [true, 0, null]],
    [option.unchecked(), [1, null, {}], []],
  ])('%#: takes what it describes and nothing else', (rule, good, bad) => {
    for (const value of good) expect(checkOption('f()', 'x', value, rule)).toEqual(value)
    for (const value of bad)
      expect(errorOf(() => checkOption('f()', 'x', value, rule))).toMatch(/^bad_option: f\(\): x/)
  })

  it.each<[OptionRule, unknown, string]>([
    [option.integer({ min: 1, max: 65_535 }), 0, 'an integer from 1 to 65535, received 0'],
    [option.integer({ min: 1 }), -1, 'an integer of at least 1, received -1'],
    [option.number({ max: 2 }), 3, 'a number of at most 2, received 3'],
    [option.number(), Number.NaN, 'a number, received NaN'],
    [option.duration({ max: 1000 }), '1s', "an integer from 0 to 1000 (milliseconds), received '1s'"],
    [option.bytes({ min: 1024 }), 1, 'an integer of at least 1024 (bytes), received 1'],
    [option.choice(['log', false]), true, "'log' or false, received true"],
    [option.choice(['a', 'b', 'c']), 'd', "one of 'a', 'b', 'c', received 'd'"],
    [option.string(), ['a'], 'a string that is not empty, received a list'],
    [option.callback(), {}, 'a function, received an object'],
    [
      option.anyOf([option.choice([0]), option.integer({ min: 8, max: 960 })]),
      7,
      '0 or an integer from 8 to 960, received 7',
    ],
    [option.path(), 'ws', "a path of letters, digits and -._~, such as '/health', received 'ws'"],
    [option.flag(), () => {}, 'true or false, received a function'],
    [host, `a b${'x'.repeat(99)}`, `a host name, received 'a b${'x'.repeat(77)}…'`],
    [host, 'a\n"', `a host name, received 'a\\n"'`],
  ])('%#: says what to write', (rule, value, message) => {
    expect(errorOf(() => checkOption('f()', 'x', value, rule))).toBe(`bad_option: f(): x must be ${message}`)
  })

  it('of a list names the entry', () => {
    const rule = option.list({ of: host, expects: 'a list of host names' })
    expect(errorOf(() => checkOption('f()', 'hosts', ['a', 'b c'], rule))).toBe(
      "bad_option: f(): hosts[1] must be a host name, received 'b c'",
    )
    const secret = option.list({ of: host, expects: 'a list of keys', secret: true })
    expect(errorOf(() => checkOption('f()', 'keys', ['a', 'b c'], secret))).toBe(
      'bad_option: f(): keys[1] must be a host name',
    )
  })

  it('of several names the entry, too', () => {
    const rule = option.anyOf([option.choice([false]), option.object({ max: option.integer({ min: 1 }) })])
    expect(errorOf(() => checkOption('f()', 'x', { max: 0 }, rule))).toBe(
      'bad_option: f(): x.max must be an integer of at least 1, received 0',
    )
    expect(errorOf(() => checkOption('f()', 'x', { min: 0 }, rule))).toContain('unknown_option: f(): x.min is not')
    expect(checkOption('f()', 'x', {}, rule)).toEqual({ max: undefined })
  })

  it('refuses a default that it would refuse as a value', () => {
    expect(() => option.integer({ min: 1, default: 0 })).toThrow(
      'The default of an option must be an integer of at least 1',
    )
  })
})

it('badOption speaks in the same words', () => {
  expect(badOption('f()', 'a.b', 'must be less than c (2)', 3).message).toBe(
    'f(): a.b must be less than c (2), received 3',
  )
  expect(badOption('f()', 'a.b', 'must be less than c (2)').message).toBe('f(): a.b must be less than c (2)')
})
