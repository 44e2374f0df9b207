import { type PluginKey, pluginKey } from '@twinwire/core/plugin'
import type { FindTenant } from './find-tenant.ts'

/** What the steps get of the plugin in their app. */
export interface TenantsApi {
  readonly find: FindTenant
}

export const tenantsKey: PluginKey<'tenants', TenantsApi> = pluginKey('tenants').of<TenantsApi>()
