import { type Call, guard, route, type Step } from '@twinwire/core'
import type { PluginKey } from '@twinwire/core/plugin'
import { describe, expectTypeOf, test } from 'vitest'
import type { RateLimitApi } from './limit-step.ts'
import { limit } from './limit-step.ts'

const tenant = () => guard({ name: 'tenant', run: () => ({ tenant: 'red' }) })

describe('limit', () => {
  test('is a guard that adds nothing to the call and requires nothing of it', () => {
    expectTypeOf(limit('10/s', '100/m')).toEqualTypeOf<
      Step<'guard', void, Call, unknown, PluginKey<'rateLimit', RateLimitApi>, `rateLimit.limit(${string})`>
    >()
    route({ use: [limit('100/m')], handler: () => 1 })
    route({ use: [limit({ points: 1, per: '1s', key: ({ address }) => address })], handler: () => 1 })
  })

  test('with a key function requires what earlier steps add', () => {
    const byTenant = limit({ points: 1, per: '1s', key: (call: Call & { tenant: string }) => call.tenant })
    route({ use: [tenant(), byTenant], handler: () => 1 })
    // @ts-expect-error no step adds a tenant
    route({ use: [byTenant], handler: () => 1 })
    // @ts-expect-error it is added too late
    route({ use: [byTenant, tenant()], handler: () => 1 })
  })

  test('refuses what is not a limit', () => {
    // @ts-expect-error no such unit
    limit('100/w')
    // @ts-expect-error not an integer
    limit('1.5/s')
    // @ts-expect-error no unit
    limit('100')
    // @ts-expect-error a period has a unit
    limit({ points: 1, per: '60' })
    // @ts-expect-error a key is a string or null
    limit({ points: 1, per: '1s', key: () => 7 })
    // @ts-expect-error no such key
    limit({ points: 1, per: '1s', key: 'user' })
    // @ts-expect-error no such option
    limit({ points: 1, per: '1s', window: 3 })
  })
})
