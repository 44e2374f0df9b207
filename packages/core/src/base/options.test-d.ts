import { describe, expectTypeOf, test } from 'vitest'
import { option } from './option.ts'
import type { OptionRule, OptionRules } from './option-rule.ts'
import { checkOption, checkOptions } from './options.ts'

interface MailOptions {
  readonly key: string
  readonly retries?: number
  readonly format?: 'text' | 'html' | false
  readonly path?: `/${string}` | undefined
  readonly onRetry?: (attempt: number) => void
  readonly hosts?: readonly string[]
  readonly breaker?: { readonly failures?: number; readonly isOn?: boolean } | false
  readonly extra?: ReadonlyMap<string, string>
}

const isPath = (value: unknown): value is `/${string}` => typeof value === 'string' && value.startsWith('/')

describe('options', () => {
  test('have the types of their table', () => {
    const rules = {
      key: option.string({ required: true }),
      retries: option.integer({ max: 10, default: 3 }),
      format: option.choice(['text', 'html', false], { default: 'text' }),
      path: option.custom({ expects: 'a path', is: isPath, default: '/mail' }),
      onRetry: option.callback<(attempt: number) => void>(),
      hosts: option.list({ of: option.string(), expects: 'a list of hosts', default: [] }),
      breaker: option.object({ failures: option.integer({ min: 1, default: 5 }), isOn: option.flag() }),
      extra: option.unchecked(),
    } satisfies OptionRules<MailOptions>
    expectTypeOf(checkOptions('mail()', { key: 'a' }, rules)).toEqualTypeOf<{
      readonly key: string
      readonly retries: number
      readonly format: 'text' | 'html' | false
      readonly path: `/${string}`
      readonly onRetry?: (attempt: number) => void
      readonly hosts: readonly string[]
      readonly breaker: { readonly failures: number; readonly isOn?: boolean }
      readonly extra?: ReadonlyMap<string, string>
    }>()
  })

  test('may be undefined without a default, unless they are required', () => {
    expectTypeOf(option.duration()).toEqualTypeOf<OptionRule<number | undefined>>()
    expectTypeOf(option.duration({ default: 5 })).toEqualTypeOf<OptionRule<number>>()
    expectTypeOf(option.duration({ required: true })).toEqualTypeOf<OptionRule<number>>()
    expectTypeOf(option.callback<() => void>({ required: true })).toExtend<OptionRule<(() => void) | undefined>>()
    expectTypeOf(option.anyOf([option.choice([false]), option.bytes()])).toEqualTypeOf<
      OptionRule<number | false | undefined>
    >()
    expectTypeOf(option.anyOf([option.choice([0]), option.bytes()], { default: 0 })).toEqualTypeOf<OptionRule<number>>()
    expectTypeOf(option.path({ default: '/a' })).toEqualTypeOf<OptionRule<`/${string}`>>()
    expectTypeOf(checkOption('f()', 'x', 1, option.bytes())).toEqualTypeOf<number | undefined>()
  })

  test('have a rule each, of their own type', () => {
    // @ts-expect-error `b` has no rule
    void ({ a: option.flag() } satisfies OptionRules<{ a?: boolean; b?: number }>)
    // @ts-expect-error `c` is not an option
    void ({ a: option.flag(), c: option.flag() } satisfies OptionRules<{ a?: boolean }>)
    // @ts-expect-error a number is not a flag
    void ({ a: option.integer() } satisfies OptionRules<{ a?: boolean }>)
    // @ts-expect-error a number within options is not a flag
    void ({ a: option.object({ b: option.integer() }) } satisfies OptionRules<{ a?: { b?: boolean } }>)
    // @ts-expect-error a default of another type
    option.integer({ default: '3' })
    // @ts-expect-error a default that is not one of the choices
    option.choice(['a', 'b'], { default: 'c' })
    // @ts-expect-error not a bound
    option.integer({ least: 1 })
  })
})
