// What an editor shows of `limit()`.
import { expect, it } from 'vitest'
import { compile } from '../support/compiler.ts'

const { errors, hover } = compile(`
import { type Call, guard, route } from '@twinwire/core'
import { limit } from '@twinwire/plugin-ratelimit'

const tenant = guard({ name: 'tenant', run: () => ({ tenant: 'red' }) })
const perMinute = limit('100/m', { points: 1000, per: '1d' })
const byTenant = limit({ points: 1, per: '1s', key: (call: Call & { tenant: string }) => call.tenant })
route({ use: [tenant, perMinute, byTenant], handler: () => 1 })
route({ use: [perMinute, byTenant], handler: () => 1 })
`)

it('a limit without what its key function reads is a readable type error', () => {
  expect(errors).toHaveLength(1)
  expect(errors[0]).toContain(
    `guard 'rateLimit.limit(\${string})' requires 'tenant', which no earlier step adds: put the step that adds it before`,
  )
})

it('hovers show aliases', () => {
  expect(hover('perMinute')).toBe('const perMinute: LimitStep<Call>')
  expect(hover('byTenant')).toBe('const byTenant: LimitStep<Call & {\n    tenant: string;\n}>')
  expect(hover("limit('100/m'")).toBe(
    '(alias) limit<Call>(...rules: readonly LimitRule<Call>[]): LimitStep<Call>\nimport limit',
  )
})
