import { type AppError, defineErrors } from '@twinwire/core'
import { findDatabaseFailure } from '@twinwire/core/database'
import { noTenantState } from './isolation-sql.ts'

/** List them in `errors` of a route that may answer with them. */
export const tenantErrors = defineErrors('tenants', {
  missing: { httpStatus: 403, message: 'The caller belongs to no tenant' },
  malformed: { httpStatus: 400, message: 'The name of the tenant has characters that are not allowed, or is too long' },
  refused: { httpStatus: 403, message: 'The caller does not belong to this tenant' },
  not_set: { httpStatus: 500, message: 'Data of tenants was used without a tenant' },
})

/** What the policies throw when no tenant is set: a route that lacks `inTenant()`. Null for every other error. */
export function toTenantError(error: unknown): AppError | null {
  if (findDatabaseFailure(error)?.code !== noTenantState) return null
  return tenantErrors.not_set(undefined, { cause: error })
}
