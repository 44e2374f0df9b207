import { doublePrecision, integer, jsonb, type PgTable, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'

/** With its columns, for the statements of this package. */
export const actions = pgTable('user_actions', {
  /** Made by the process that recorded the call, so that a row that is written again is still one row. Its order is that of time. */
  id: uuid().primaryKey(),
  /** When the call began. */
  timestamp: timestamp({ withTimezone: true }).notNull(),
  userId: text('user_id'),
  username: text(),
  userRoles: jsonb('user_roles').$type<readonly string[]>().notNull(),
  /** `GET`, `POST` …, or `WS:` and the name of the route. */
  actionType: text('action_type').notNull(),
  /** The path as requested, without its query; on WebSocket the path of the route, or its name. */
  resource: text().notNull(),
  /** `success`, `error`, `permission_denied`. */
  outcome: text().notNull(),
  ipAddress: text('ip_address'),
  userAgent: text('user_agent'),
  requestId: text('request_id').notNull(),
  requestData: jsonb('request_data'),
  responseStatus: integer('response_status'),
  errorMessage: text('error_message'),
  durationMs: doublePrecision('duration_ms').notNull(),
})

/**
 * The table of the audit log, `user_actions`. Re-export it from the schema that drizzle-kit reads, so that `drizzle-kit generate` writes its
 * migration.
 *
 * @example
 * export { auditTable } from '@twinwire/plugin-audit'
 */
export const auditTable: PgTable = actions
