import type { DatabaseApi } from '@twinwire/core/database'
import type { PluginHost } from '@twinwire/core/plugin'
import type { ResolvedAuditOptions } from '../options.ts'
import { RowRemoval } from './row-removal.ts'

const dayMs = 86_400_000

/** Removes rows that are older than `retentionDays`, in the background; 0 removes none. */
export function removeOldRows(
  host: PluginHost,
  { retentionDays }: Pick<ResolvedAuditOptions, 'retentionDays'>,
  database: () => DatabaseApi,
): void {
  if (retentionDays === 0) return
  const { clock, log, instruments } = host
  const removed = instruments.counter(
    'audit_logs_removed_total',
    'Rows of the audit log that were removed after retentionDays, by this process',
  )
  const removal = new RowRemoval({
    db: () => database().db,
    retentionMs: retentionDays * dayMs,
    clock,
    log,
    removed: removed.cell(),
  })
  host.onReady(() => removal.start())
  host.onClose(() => removal.stop())
}
