import { type Page, page } from '@twinwire/core'
import { pageInput } from '@twinwire/core/database/valibot'
import * as v from 'valibot'
import type { AuditFilters, AuditPageRequest, AuditRow } from './audit-repository.ts'

const outcomes = ['success', 'error', 'permission_denied'] as const

const TextSchema = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(256),
  v.check((value) => !value.includes('\0'), 'Must not contain the character U+0000'),
)

/** A trigram index finds what has a trigram: punctuation is none, nor is one letter before it. */
const PartSchema = v.pipe(
  TextSchema,
  v.minLength(3),
  v.check((part) => /.[\p{L}\p{N}]/su.test(part), 'Must have a letter or a digit after its first character'),
)

export const AuditLogsInput = v.strictObject({
  ...pageInput(),
  per_page: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(100))),
  user_id: v.optional(TextSchema),
  /** Part of a name, in upper or lower case. */
  username: v.optional(PartSchema),
  /** `POST`, or `WS:CREATE_AUTHOR`. */
  action_type: v.optional(TextSchema),
  /** Part of a path, in upper or lower case. */
  resource: v.optional(PartSchema),
  outcome: v.optional(v.pipe(v.string(), v.toLowerCase(), v.picklist(outcomes))),
  /** The first and the last point in time, included. */
  start_date: v.optional(v.date()),
  end_date: v.optional(v.date()),
})
export type AuditLogsInput = v.InferOutput<typeof AuditLogsInput>

export const AuditLogIdInput = v.strictObject({ log_id: v.pipe(v.string(), v.uuid()) })
export type AuditLogIdInput = v.InferOutput<typeof AuditLogIdInput>

/** A recorded call, as sent. */
export const AuditLogSchema = v.object({
  id: v.string(),
  timestamp: v.date(),
  user_id: v.nullable(v.string()),
  username: v.nullable(v.string()),
  user_roles: v.array(v.string()),
  action_type: v.string(),
  resource: v.string(),
  outcome: v.string(),
  ip_address: v.nullable(v.string()),
  user_agent: v.nullable(v.string()),
  request_id: v.string(),
  request_data: v.unknown(),
  response_status: v.nullable(v.number()),
  error_message: v.nullable(v.string()),
  duration_ms: v.number(),
})
export type AuditLog = v.InferOutput<typeof AuditLogSchema>

export function toFilters(input: AuditLogsInput): AuditFilters {
  const { user_id, username, action_type, resource, outcome, start_date, end_date } = input
  return {
    userId: user_id,
    username,
    actionType: action_type === undefined ? undefined : toActionType(action_type),
    resource,
    outcome,
    from: start_date,
    to: end_date,
  }
}

/** Methods and `WS:` have no case; names of routes have. */
function toActionType(text: string): string {
  return /^ws:/i.test(text) ? `WS:${text.slice(3)}` : text.toUpperCase()
}

export function toPageRequest({ page, per_page, cursor }: AuditLogsInput): AuditPageRequest {
  return { page, perPage: per_page, cursor }
}

export function toAuditLogs({ items, meta }: Page<AuditRow>): Page<AuditLog> {
  return page(items.map(toAuditLog), meta)
}

export function toAuditLog(row: AuditRow): AuditLog {
  return {
    id: row.id,
    timestamp: row.timestamp,
    user_id: row.userId,
    username: row.username,
    user_roles: [...row.userRoles],
    action_type: row.actionType,
    resource: row.resource,
    outcome: row.outcome,
    ip_address: row.ipAddress,
    user_agent: row.userAgent,
    request_id: row.requestId,
    request_data: row.requestData,
    response_status: row.responseStatus,
    error_message: row.errorMessage,
    duration_ms: row.durationMs,
  }
}
