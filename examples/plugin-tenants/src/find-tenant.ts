import type { AppError, Call, ErrorFactory } from '@twinwire/core'
import type { Instruments } from '@twinwire/core/plugin'
import { tenantErrors } from './errors.ts'
import type { TenantSource } from './options.ts'

/** No colon, which separates the parts of a topic. */
const namePattern = /^[A-Za-z0-9._-]{1,64}$/

const reasons = ['missing', 'malformed', 'refused'] as const
type Reason = (typeof reasons)[number]

/** Returns the tenant of a call, or throws an error of `tenantErrors`. */
export type FindTenant = (call: Call) => Promise<string>

export function createFinder(source: TenantSource, instruments: Instruments): FindTenant {
  // The labels are known beforehand: a label with names of tenants would be a series for each.
  const refused = instruments.counter('tenants_refused_total', 'Calls without a tenant that they may act for', {
    reason: reasons,
  })
  const cells = {
    missing: refused.cell({ reason: 'missing' }),
    malformed: refused.cell({ reason: 'malformed' }),
    refused: refused.cell({ reason: 'refused' }),
  }
  const refuse = (reason: Reason): AppError => {
    cells[reason].inc()
    const create: ErrorFactory = tenantErrors[reason]
    return create()
  }
  return async (call) => {
    const { identity } = call
    if (identity === null) throw refuse('missing')
    const named = 'claim' in source ? readClaim(identity, source.claim) : call.headers[source.header]
    if (typeof named !== 'string' || named === '') throw refuse('missing')
    if (!namePattern.test(named)) throw refuse('malformed')
    if ('allow' in source && !(await source.allow(identity, named))) throw refuse('refused')
    return named
  }
}

/** Of an identity with `claims`, as plugin-auth has them. */
function readClaim(identity: object, claim: string): unknown {
  const claims: unknown = Reflect.get(identity, 'claims')
  return typeof claims === 'object' && claims !== null ? Reflect.get(claims, claim) : undefined
}
