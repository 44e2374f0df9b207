import type { Page } from '@twinwire/core'
import type { Database } from '@twinwire/core/database'
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

export async function readAuditLogs(tx: Database, input: AuditLogsInput): Promise<Page<AuditLog>> {
  return toAuditLogs(await new AuditRepository(tx).getPage(toFilters(input), toPageRequest(input)))
}

export async function readAuditLog(db: Database, { log_id }: AuditLogIdInput): Promise<AuditLog> {
  return toAuditLog(await new AuditRepository(db).getById(log_id))
}
