import { type Plugin, route } from '@twinwire/core'
import { databaseKey } from '@twinwire/core/database'
import { definePlugin } from '@twinwire/core/plugin'
import * as v from 'valibot'
import { checkIsolation } from './check-isolation.ts'
import { toTenantError } from './errors.ts'
import { createFinder } from './find-tenant.ts'
import { resolveOptions, type TenantsOptions } from './options.ts'
import { requireTenant } from './steps.ts'
import { type TenantsApi, tenantsKey } from './tenants-key.ts'
import { tenantTopics } from './topics.ts'

/**
 * Isolates tenants by the row-level security of PostgreSQL. Requires `database()`.
 *
 * Boot errors: `bad_option`, `unknown_option`, `missing_plugin`, `tenants.unsafe_role`, `tenants.unprotected_table`.
 *
 * @example
 * plugins: [auth({ … }), database({ url, schema }), tenants({ tables: [notes], claim: 'tenant' })]
 */
export function tenants(options: TenantsOptions): Plugin<TenantsApi> {
  return definePlugin(tenantsKey, {
    requires: ['database'],
    setup(host) {
      const { tables, source, path } = resolveOptions(options)
      const isIsolated = () => checkIsolation(host.api(databaseKey).db, tables)
      host.onReady(isIsolated)
      // A migration may change it while the app runs.
      host.health('tenants', isIsolated)
      host.mapErrors(toTenantError)
      host.topics(tenantTopics)
      host.endpoint(
        route({
          summary: 'The tenant of the caller',
          http: `GET ${path}`,
          access: 'authenticated',
          use: [requireTenant()],
          output: v.object({ tenant: v.string() }),
          handler: (_input, { tenant }) => ({ tenant }),
        }),
      )
      return { find: createFinder(source, host.instruments) }
    },
  })
}
