import { type Call, interceptor, type Step } from '@twinwire/core'
import type { PluginKey } from '@twinwire/core/plugin'
import { type AuditApi, auditKey } from '../audit-key.ts'

export interface AuditedOptions {
  /** The route has no `transaction()` behind it, because it changes nothing in the database. Default false. */
  readonly readOnly?: boolean
}

/** An interceptor that needs the plugin `audit`. It adds nothing to the call. */
export type AuditedStep = Step<'interceptor', void, Call, unknown, PluginKey<'audit', AuditApi>, 'audit.audited'>

/**
 * Each call of the route has exactly one row in the audit log, and has no effect without it. A success is written by the last statement before the
 * COMMIT of the route's `transaction()`, which is behind it in `use`. A refusal or a failure is written before the answer is sent; where that
 * cannot be done, the answer is `unavailable` (HTTP 503). `readOnly` routes are written before the answer, too.
 *
 * Boot error: `bad_step_order` without a `transaction()` behind it, unless `readOnly` is set. A route whose `output` is `stream(…)` cannot have it.
 *
 * @example
 * use: [requireRoles('create-author'), audited(), transaction()]
 */
export function audited(options: AuditedOptions = {}): AuditedStep {
  const { readOnly = false } = options
  return interceptor({
    name: 'audit.audited',
    needs: auditKey,
    bind: (api, route) => api.bind(route, { readOnly }),
  })
}
