import {
  doublePrecision,
  index,
  integer,
  jsonb,
  type PgTable,
  pgTable,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

/** With its columns, for the statements of this package. */
export const actions = pgTable(
  'user_actions',
  {
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
  },
  (row) => [
    // In the order of pages: each serves the newest rows, the rows after a cursor, and a total without reading the table.
    index('user_actions_timestamp').on(row.timestamp, row.id),
    index('user_actions_user_id').on(row.userId, row.timestamp, row.id),
    index('user_actions_action_type').on(row.actionType, row.timestamp, row.id),
    index('user_actions_outcome').on(row.outcome, row.timestamp, row.id),
    // For parts of a value. They need the extension pg_trgm, and are half of what an insert costs.
    index('user_actions_username').using('gin', row.username.op('gin_trgm_ops')),
    index('user_actions_resource').using('gin', row.resource.op('gin_trgm_ops')),
  ],
)

/**
 * The table of the audit log, `user_actions`. Re-export it from the schema that drizzle-kit reads, so that `drizzle-kit generate` writes its
 * migration. Its indexes need the extension `pg_trgm`, which a migration before it has to create.
 *
 * @example
 * export { auditTable } from '@twinwire/plugin-audit'
 *
 * @alias
 */
export const auditTable: PgTable = actions
