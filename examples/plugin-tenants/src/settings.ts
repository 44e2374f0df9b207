import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import { tenantsRules } from './options.ts'

/** Options for `tenants({ ...settings.tenants, tables })`. */
export interface TenantsSettings {
  readonly claim?: string
  readonly header?: string
  readonly path: `/${string}`
}

/** `TENANTS_CLAIM`, `TENANTS_HEADER`, `TENANTS_PATH`. */
export const tenantsSettings: SettingsGroup<TenantsSettings> = settingsGroup({
  variables: {
    claim: variable.option('TENANTS_CLAIM', tenantsRules.claim, {
      about: 'Claim of a token that names the tenant of its user',
      whenUnset: 'the tenant is named by `TENANTS_HEADER`',
    }),
    header: variable.option('TENANTS_HEADER', tenantsRules.header, {
      about: 'Header in which a caller names one of its tenants',
      whenUnset: 'the tenant is named by `TENANTS_CLAIM`',
    }),
    path: variable.option('TENANTS_PATH', tenantsRules.path, { about: 'Path that answers a caller with its tenant' }),
  },
  check: ({ isSet }) => {
    if (isSet('claim') && isSet('header')) return ['TENANTS_HEADER cannot be set together with TENANTS_CLAIM: set one']
    if (!isSet('claim') && !isSet('header')) return ['TENANTS_CLAIM or TENANTS_HEADER must be set']
    return []
  },
  to: (values) => values,
})
