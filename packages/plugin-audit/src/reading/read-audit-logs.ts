import type { Page } from '@twinwire/core'
import type { Database } from '@twinwire/core/database'
import { sql } from 'drizzle-orm'
import {
  type AuditLog,
  type AuditLogIdInput,
  type AuditLogsInput,
  toAuditLog,
  toAuditLogs,
  toFilters,
  toPageRequest,
} from './audit-log-schemas.ts'
import { AuditRepository } from './audit-repository.ts'

/** Rows and their total are of one point in time. */
export const readingMode = { readOnly: true, isolation: 'repeatable read' } as const

/** In a transaction of `readingMode`. */
export async function readAuditLogs(tx: Database, input: AuditLogsInput): Promise<Page<AuditLog>> {
  // Which index is best depends on how rare a value is. After five executions PostgreSQL may use one plan for all values of a prepared statement.
  await tx.execute(sql`select set_config('plan_cache_mode', 'force_custom_plan', true)`)
  return toAuditLogs(await new AuditRepository(tx).getPage(toFilters(input), toPageRequest(input)))
}

export async function readAuditLog(db: Database, { log_id }: AuditLogIdInput): Promise<AuditLog> {
  return toAuditLog(await new AuditRepository(db).getById(log_id))
}
