import { describe, expectTypeOf, test } from 'vitest'
import type { AppError, AppErrorOptions } from './app-error.ts'
import { defineErrors, type ErrorFactory } from './define-errors.ts'

describe('defineErrors', () => {
  const billing = defineErrors('billing', {
    card_declined: { httpStatus: 402, message: 'The card was declined' },
    limit: { httpStatus: 429, message: 'Too much', retry: true },
  })

  test('has literal codes', () => {
    expectTypeOf(billing.card_declined).toEqualTypeOf<ErrorFactory<'billing.card_declined'>>()
    expectTypeOf(billing.limit.code).toEqualTypeOf<'billing.limit'>()
    expectTypeOf<keyof typeof billing>().toEqualTypeOf<'card_declined' | 'limit'>()
    // @ts-expect-error no such error
    void billing.nope
  })

  test('makes errors', () => {
    expectTypeOf(billing.limit).parameters.toEqualTypeOf<[message?: string, options?: AppErrorOptions]>()
    expectTypeOf(billing.limit).returns.toEqualTypeOf<AppError>()
  })

  test('of a message and a status each', () => {
    // @ts-expect-error a status is a number
    defineErrors('a', { b: { httpStatus: '402', message: '' } })
    // @ts-expect-error a message is needed
    defineErrors('a', { b: { httpStatus: 402 } })
    // @ts-expect-error no such wire status
    defineErrors('a', { b: { httpStatus: 402, message: '', status: 9 } })
  })
})
