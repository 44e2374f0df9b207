import type { Database } from '@twinwire/core/database'
import { type SQL, sql } from 'drizzle-orm'
import { actions } from '../table.ts'
import type { Row } from './row.ts'

const columns = sql.raw(
  'id, timestamp, user_id, username, user_roles, action_type, resource, outcome, ip_address, user_agent, request_id, request_data, response_status, error_message, duration_ms',
)
const types = sql.raw(
  'id uuid, timestamp timestamptz, user_id text, username text, user_roles jsonb, action_type text, resource text, outcome text, ip_address text, user_agent text, request_id text, request_data jsonb, response_status integer, error_message text, duration_ms double precision',
)
const overwrite = sql.raw(
  'on conflict (id) do update set outcome = excluded.outcome, response_status = excluded.response_status, error_message = excluded.error_message, duration_ms = excluded.duration_ms',
)
const keep = sql.raw('on conflict (id) do nothing')

/** Writes rows with one statement and one parameter. Those that are written again are still there once. */
export async function insertRows(db: Database, rows: readonly Row[]): Promise<void> {
  await db.execute(toInsert(rows, keep))
}

/** The last outcome of a call counts. */
export async function upsertRow(db: Database, row: Row): Promise<void> {
  await db.execute(toInsert([row], overwrite))
}

function toInsert(rows: readonly Row[], onConflict: SQL): SQL {
  const json = `[${rows.map((row) => row.json).join()}]`
  return sql`insert into ${actions} (${columns}) select ${columns} from json_to_recordset(${sql.param(json)}::json) as row (${types}) ${onConflict}`
}
