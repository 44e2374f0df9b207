import { type Call, guard, interceptor, type Next } from '@twinwire/core'
import type { WithDatabase } from '@twinwire/core/database'
import { sql } from 'drizzle-orm'
import { tenantParameter } from './isolation-sql.ts'
import { tenantsKey } from './tenants-key.ts'

/** `requireTenant()` adds it to the call. */
export interface WithTenant {
  readonly tenant: string
}

/**
 * Adds `tenant` to the call, and refuses callers without one: `tenants.missing`, `tenants.malformed`, `tenants.refused`.
 *
 * @example
 * use: [requireTenant(), transaction(), inTenant()]
 */
export const requireTenant = () =>
  guard({
    name: 'tenants.requireTenant',
    identity: 'required',
    needs: tenantsKey,
    bind: (api) => async (call) => ({ tenant: await api.find(call) }),
  })

/**
 * Sets the tenant in the transaction around it, for the policies of the tables: PostgreSQL forgets it when the transaction ends. Each attempt of
 * `transaction({ retries })` sets it again.
 *
 * @example
 * use: [requireTenant(), transaction(), inTenant()]
 */
export const inTenant = () =>
  interceptor({
    name: 'tenants.inTenant',
    run: async (call: Call & WithTenant & WithDatabase, next: Next) => {
      await call.db.execute(sql`select set_config(${tenantParameter}, ${call.tenant}, true)`)
      return next()
    },
  })
