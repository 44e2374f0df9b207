import { and, eq, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { index, type PgTable, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { coreError, InternalError } from '../../errors/app-error.ts'
import type { Database } from '../database.ts'
import { drizzleSessionOf } from '../drivers/drizzle-session.ts'
import type { FirstStatement } from '../drivers/first-statement.ts'
import type { TextRow } from '../drivers/row-reader.ts'
import { findDatabaseFailure } from '../errors.ts'
import type { OwnTable } from '../own-table.ts'

const table = pgTable(
  'twinwire_once',
  {
    /** A hash of the identity, the route and the id of the call: as long for any of them. */
    key: text().primaryKey(),
    /** A hash of the input. */
    fingerprint: text().notNull(),
    /** JSON; null until the reply is known, which only its own transaction sees. */
    reply: text(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
  },
  (columns) => [index('twinwire_once_expires_at').on(columns.expiresAt)],
)

/**
 * The table of `once()`. Re-export it from the schema that drizzle-kit reads, so that `drizzle-kit generate` writes its migration.
 *
 * @example
 * export { onceTable } from '@twinwire/core/database'
 */
export const onceTable: PgTable = table

export const ownOnce: OwnTable = {
  table,
  name: 'twinwire_once',
  package: '@twinwire/core/database',
  exportName: 'onceTable',
  owner: 'once()',
  privileges: ['insert', 'update', 'delete'],
}

const reserveText = `insert into twinwire_once (key, fingerprint, expires_at)
  values ($1, $2, now() + $3::float8 * interval '1 millisecond') on conflict (key) do nothing returning key`

/** Fails when there is no such row: it is sent with COMMIT, which must fail too. */
const keepText = `with kept as (update twinwire_once set reply = $1 where key = $2 returning 1)
  select 1 / count(*) from kept`
const divisionByZero = '22012'

/** The advisory lock under which expired rows are removed: the bytes of 'twin' and of 'once'. */
const removalLock: SQL = sql.raw('1953982830, 1869505381')

/** Until the end of the transaction. The locks of the rows end sooner by it, and rows that are there again after a crash are removed again. */
const withoutFlush: SQL = sql.raw(`(select set_config('synchronous_commit', 'off', true)) is not null`)

/** Removes at most `limit` expired rows, oldest first, unless another node does. Resolves with their number. */
export async function removeExpired(db: Database, limit: number): Promise<number> {
  const expired = db.$with('expired').as(
    db
      .select({ key: table.key })
      .from(table)
      .where(
        and(lt(table.expiresAt, sql`now()`), sql`(select pg_try_advisory_xact_lock(${removalLock}))`, withoutFlush),
      )
      .orderBy(table.expiresAt)
      .limit(limit)
      .for('update', { skipLocked: true }),
  )
  const removed = await db
    .with(expired)
    .delete(table)
    .where(inArray(table.key, db.select({ key: expired.key }).from(expired)))
    .returning({ key: table.key })
  return removed.length
}

/** Reserves a key. */
export function toReservation(
  { key, fingerprint }: { readonly key: string; readonly fingerprint: string },
  retentionMs: number,
): Omit<FirstStatement, 'execute'> {
  const parameters = [key, fingerprint, String(retentionMs)]
  return { text: reserveText, types: 'text, text, float8', parameters, rowMode: 'array' }
}

/** How the server has answered it with BEGIN. */
export type FirstAnswer =
  | { readonly ok: true; readonly rows: readonly TextRow[] }
  | { readonly ok: false; readonly error: unknown }

/** What the first call with a key has left. */
export interface Kept {
  readonly fingerprint: string
  readonly text: string
}

/** Another transaction took the key, and this one cannot see what it has left: its snapshot is older. */
export class KeyTaken extends Error {}

/**
 * Reserves a key until the end of the transaction, and resolves with null; or with what the call before has left. Waits for a transaction that
 * has reserved the same key. `answer`: of the statement, when it was sent with BEGIN.
 *
 * @throws KeyTaken
 */
export async function reserveKey(
  db: Database,
  key: string,
  { text: reserving, parameters }: Pick<FirstStatement, 'text' | 'parameters'>,
  answer: FirstAnswer | null,
): Promise<Kept | null> {
  const reserved = await refusedAsTaken(() => {
    if (answer === null) return drizzleSessionOf(db).runText(reserving, parameters)
    return answer.ok ? Promise.resolve(answer.rows) : Promise.reject(answer.error)
  })
  if (reserved.length > 0) return null
  const [row] = await db
    .select({ fingerprint: table.fingerprint, text: table.reply })
    .from(table)
    .where(eq(table.key, key))
  // It has expired, and was removed between the two statements.
  if (row === undefined) throw new KeyTaken()
  const { text } = row
  if (text === null) throw new InternalError({ cause: new Error(`The row of ${key} in twinwire_once has no reply`) })
  return { fingerprint: row.fingerprint, text }
}

/** From `repeatable read` on PostgreSQL refuses to skip a row that the snapshot does not have: 40001. */
async function refusedAsTaken<T>(insert: () => PromiseLike<T>): Promise<T> {
  try {
    return await insert()
  } catch (error) {
    const code = findDatabaseFailure(error)?.code
    if (code === '40001') throw new KeyTaken()
    // The time limit of statements, or of locks, is shorter than the deadline of the call.
    if (code === '57014' || code === '55P03') throw coreError('idempotency_in_progress')
    throw error
  }
}

/** With COMMIT. */
export function keepReply(db: Database, key: string, text: string): Promise<void> {
  const toFailure = (error: unknown): unknown => {
    if (findDatabaseFailure(error)?.code !== divisionByZero) return error
    const why = `The row of ${key} in twinwire_once was removed by its own transaction: do not change this table`
    return new InternalError({ cause: new Error(why) })
  }
  return drizzleSessionOf(db).runWithCommit(keepText, [text, key], { toFailure, mayWait: false })
}
