import type { Plugin } from '@twinwire/core'
import { type DatabaseApi, databaseKey } from '@twinwire/core/database'
import { definePlugin, describeEndpointAccess } from '@twinwire/core/plugin'
import { type AuditApi, auditKey } from './audit-key.ts'
import { type AuditOptions, resolveAuditOptions } from './options.ts'
import { serveAuditLogs } from './reading/serve-audit-logs.ts'
import { recordCalls } from './recording/record-calls.ts'
import { removeOldRows } from './retention/remove-old-rows.ts'

/**
 * Keeps an audit log in the table `user_actions`: one row for each call, on both wires, also for those that were refused. Needs `database()`, in any
 * order, and a migration that creates `auditTable`.
 *
 * Boot errors: `bad_option`, `unknown_option`, `missing_table`, `bad_step_order`.
 *
 * @example
 * createApp({ pkgIds, routes, plugins: [database({ url }), audit({ access: { use: [requireRoles('admin')] } })] })
 */
export function audit(options: AuditOptions = {}): Plugin<AuditApi> {
  return definePlugin(auditKey, {
    requires: ['database'],
    doctor(host) {
      host.peer('valibot', 'audit() requires it', import.meta.url)
      host.doctor('audit', () => {
        const { access, path, retentionDays } = resolveAuditOptions(options, host.environment)
        const kept = retentionDays === 0 ? 'forever' : `for ${retentionDays} days`
        return {
          level: 'ok',
          message: `Calls are kept ${kept}, and ${path} is served ${describeEndpointAccess(access)}`,
        }
      })
    },
    setup(host) {
      const resolved = resolveAuditOptions(options, host.environment)
      const database = (): DatabaseApi => host.api(databaseKey)
      serveAuditLogs(host, resolved, database)
      removeOldRows(host, resolved, database)
      return recordCalls(host, resolved, database)
    },
  })
}
