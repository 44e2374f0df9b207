import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import { type AuditOverflow, auditRules } from './options.ts'

/** Options for `audit({ ...settings.audit, access })`. */
export interface AuditSettings {
  readonly enabled: boolean
  readonly retentionDays: number
  readonly queueSize: number
  readonly batchSize: number
  readonly batchMs: number
  readonly overflow: AuditOverflow
  readonly spillFolder?: string
}

/**
 * `AUDIT_LOG_ENABLED`, `AUDIT_LOG_RETENTION_DAYS`, `AUDIT_QUEUE_MAX_SIZE`, `AUDIT_BATCH_SIZE`, `AUDIT_BATCH_TIMEOUT`, `AUDIT_OVERFLOW`,
 * `AUDIT_SPILL_FOLDER`. Who may read the log is for the code of the app to say.
 *
 * @example
 * const settings = defineSettings({ audit: auditSettings }).read()
 * const plugin = audit({ ...settings.audit, access: { use: [requireRoles('admin')] } })
 */
export const auditSettings: SettingsGroup<AuditSettings> = settingsGroup({
  variables: {
    enabled: variable.option('AUDIT_LOG_ENABLED', auditRules.enabled, {
      about: 'Whether calls are recorded in the audit log; those of routes with `audited()` always are',
    }),
    retentionDays: variable.option('AUDIT_LOG_RETENTION_DAYS', auditRules.retentionDays, {
      about: 'Days after which rows of the audit log are removed; 0: never',
    }),
    queueSize: variable.option('AUDIT_QUEUE_MAX_SIZE', auditRules.queueSize, {
      about: 'Rows of the audit log that wait for the database',
    }),
    batchSize: variable.option('AUDIT_BATCH_SIZE', auditRules.batchSize, { about: 'Rows of one INSERT' }),
    batchMs: variable.option('AUDIT_BATCH_TIMEOUT', auditRules.batchMs, {
      about: 'How long the first row of a batch waits for others',
    }),
    overflow: variable.option('AUDIT_OVERFLOW', auditRules.overflow, {
      about:
        'What happens to rows that do not fit in the queue: `drop` counts and loses them, `spill` writes them to a file',
    }),
    spillFolder: variable.option('AUDIT_SPILL_FOLDER', auditRules.spillFolder, {
      about: 'Folder for those files, which should survive a restart',
      whenUnset: 'none; required with `AUDIT_OVERFLOW=spill`',
    }),
  },
  to: ({ spillFolder, ...rest }) => ({ ...rest, ...(spillFolder !== undefined && { spillFolder }) }),
})
