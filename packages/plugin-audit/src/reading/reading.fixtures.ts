import { randomUUID } from 'node:crypto'
import type { Plugin } from '@twinwire/core'
import { databaseKey } from '@twinwire/core/database'
import { createTestDatabase, type TestDatabase } from '@twinwire/core/database/testing'
import { type AuditOptions, resolveAuditOptions } from '../options.ts'
import { actions } from '../table.ts'
import { serveAuditLogs } from './serve-audit-logs.ts'

/** The part of `audit()` that reads: its own calls are not among the rows of a test. */
export function reader(options: AuditOptions = {}): Plugin<void> {
  return {
    name: 'audit',
    requires: ['database'],
    setup(host) {
      serveAuditLogs(host, resolveAuditOptions(options, host.environment), () => host.api(databaseKey))
    },
  }
}

/** With the migrations of the example. */
export function openAuditDatabase(): Promise<TestDatabase> {
  return createTestDatabase({
    migrations: new URL('../../../../examples/authors/drizzle', import.meta.url),
    embeddedExtensions: ['pg_trgm'],
  })
}

type Row = typeof actions.$inferInsert

/** The first is the oldest; a second between two. */
export async function writeRows(database: TestDatabase, rows: readonly Partial<Row>[]): Promise<readonly string[]> {
  const written = rows.map((row, index) => ({
    id: randomUUID(),
    timestamp: new Date(Date.UTC(2026, 0, 1, 0, 0, index)),
    userId: 'u1',
    username: 'Ursula',
    userRoles: ['admin'],
    actionType: 'GET',
    resource: '/authors',
    outcome: 'success',
    requestId: `r${index}`,
    durationMs: 1.5,
    ...row,
  }))
  await database.db.insert(actions).values(written)
  return written.map(({ id }) => id)
}
