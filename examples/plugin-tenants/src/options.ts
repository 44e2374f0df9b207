import type { Identity, MaybePromise } from '@twinwire/core'
import { badOption, checkOptions, type OptionRules, option } from '@twinwire/core/plugin'
import { is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'

export interface TenantsOptions {
  /** Tables whose rows belong to tenants. Their isolation is checked at boot and by the health check. */
  readonly tables: readonly PgTable[]
  /** The claim of the caller's identity that names its tenant. Set this or `header`. */
  readonly claim?: string | undefined
  /** The header in which a caller of several tenants names one of them, in lower case. Needs `allow`. */
  readonly header?: string | undefined
  /** May this caller act for the tenant that the header names? */
  readonly allow?: ((identity: Identity, tenant: string) => MaybePromise<boolean>) | undefined
  /** Answers a caller with its tenant. Default `/tenant`. */
  readonly path?: `/${string}` | undefined
}

/** Where the tenant of a call is named. */
export type TenantSource =
  | { readonly claim: string }
  | { readonly header: string; readonly allow: (identity: Identity, tenant: string) => MaybePromise<boolean> }

export interface ResolvedTenantsOptions {
  readonly tables: readonly PgTable[]
  readonly source: TenantSource
  readonly path: `/${string}`
}

const owner = 'tenants()'

export const tenantsRules = {
  tables: option.list({
    of: option.custom({ expects: 'a table of drizzle', is: (value): value is PgTable => is(value, PgTable) }),
    expects: 'a list of tables of drizzle, with at least one entry',
    min: 1,
    required: true,
  }),
  claim: option.string(),
  header: option.string({
    expects: 'the name of a header in lower case, such as x-tenant',
    test: (name) => /^[a-z0-9-]+$/.test(name),
  }),
  allow: option.callback<(identity: Identity, tenant: string) => MaybePromise<boolean>>(),
  path: option.path({ default: '/tenant' }),
} satisfies OptionRules<TenantsOptions>

/** @throws BootError `bad_option`, `unknown_option` */
export function resolveOptions(options: TenantsOptions): ResolvedTenantsOptions {
  const { claim, header, allow, ...checked } = checkOptions(owner, options, tenantsRules)
  return { ...checked, source: toSource(claim, header, allow) }
}

function toSource(claim: string | undefined, header: string | undefined, allow: TenantsOptions['allow']): TenantSource {
  if (claim !== undefined && header !== undefined) throw badOption(owner, 'header', 'cannot be set together with claim')
  if (claim !== undefined) {
    if (allow !== undefined) throw badOption(owner, 'allow', 'has no effect with claim: remove it')
    return { claim }
  }
  if (header === undefined) throw badOption(owner, 'claim', 'or header must be set: where a call names its tenant')
  if (allow === undefined)
    throw badOption(owner, 'allow', 'is required with header: otherwise a caller could name any tenant')
  return { header, allow }
}
