import { type Call, guard, route, type Step } from '@twinwire/core'
import type { PluginKey } from '@twinwire/core/plugin'
import { describe, expectTypeOf, test } from 'vitest'
import type { RateLimitApi } from './ratelimit-key.ts'
import { limit } from './steps.ts'

const tenant = () => guard({ name: 'tenant', run: () => ({ tenant: 'red' }) })

describe('limit', () => {
  test('is a guard that adds nothing and asks nothing of the call', () => {
    expectTypeOf(limit('10/s', '100/m')).toEqualTypeOf<
      Step<'guard', void, Call, unknown, PluginKey<'rateLimit', RateLimitApi>>
    >()
    route({ use: [limit('100/m')], handler: () => 1 })
    route({ use: [limit({ points: 1, per: '1s', key: ({ address }) => address })], handler: () => 1 })
  })

  test('with a key of the call asks for what earlier steps add', () => {
    const byTenant = limit({ points: 1, per: '1s', key: (call: Call & { tenant: string }) => call.tenant })
    route({ use: [tenant(), byTenant], handler: () => 1 })
    // @ts-expect-error nobody adds a tenant
    route({ use: [byTenant], handler: () => 1 })
    // @ts-expect-error nor before it
    route({ use: [byTenant, tenant()], handler: () => 1 })
  })

  test('does not take what is no limit', () => {
    // @ts-expect-error no such unit
    limit('100/w')
    // @ts-expect-error no whole number
    limit('1.5/s')
    // @ts-expect-error no unit
    limit('100')
    // @ts-expect-error a period has a unit
    limit({ points: 1, per: '60' })
    // @ts-expect-error a key is a text or null
    limit({ points: 1, per: '1s', key: () => 7 })
    // @ts-expect-error no such key
    limit({ points: 1, per: '1s', key: 'user' })
    // @ts-expect-error no such option
    limit({ points: 1, per: '1s', window: 3 })
  })
})
