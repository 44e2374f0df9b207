import { createHash } from 'node:crypto'
import { notInArray, sql } from 'drizzle-orm'
import { bigint, type PgTable, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import type { Publication } from '../../call/publication.ts'
import { streamKey } from '../../hub/stream-key.ts'
import type { Database } from '../database.ts'
import { drizzleSessionOf } from '../drivers/drizzle-session.ts'
import type { OwnTable } from '../own-table.ts'

const tableName = 'twinwire_outbox'
/** Who holds it sends: this number and that of the table, out of the way of the locks of applications. */
const senderLock = '1953984354'
/** A sender whose machine has disconnected, or whose process was stopped, loses the lock after that. */
export const longestSilenceMs = 10_000

const outbox = pgTable(tableName, {
  /** In each stream in the order of the commits. */
  id: bigint({ mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  /** Of whom it reaches: `:news` of a topic, `@7` of an identity, `*` of all. */
  stream: text().notNull(),
  /** JSON, as text: a jsonb value cannot have the character U+0000. */
  publication: text().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().default(sql`clock_timestamp()`),
})

/**
 * Publications of `transaction({ outbox: true })` that the broker has not taken yet. Export it from the schema that drizzle-kit reads, so that
 * `drizzle-kit generate` creates it.
 *
 * @example
 * // schema.ts
 * export { outboxTable } from '@twinwire/core/database'
 */
export const outboxTable: PgTable = outbox

export const ownOutbox: OwnTable = {
  table: outbox,
  name: tableName,
  package: '@twinwire/core/database',
  exportName: 'outboxTable',
  owner: 'database({ outbox })',
  privileges: ['insert', 'delete'],
}

/** A publication that waits, as its row says. */
export interface OutboxRow {
  readonly id: bigint
  readonly stream: string
  readonly publication: string
  /** Its place in time, so that ids that begin anew after a restore are other keys. */
  readonly createdAt: Date
}

/** Shared by transactions that lock their streams one by one; held alone by one that would lock too many. */
const allStreamsLock = 0x7477_6f62_616cn
/** Locks of all transactions together fit in the memory of the server: 64 for each connection by default. */
const maxStreamLocks = 32

/** Each part of it is computed before the part that counts its rows. */
function toInsert(lockAll: 'pg_advisory_xact_lock' | 'pg_advisory_xact_lock_shared'): string {
  return `with gate as materialized (select ${lockAll}(${allStreamsLock})),
    locked as materialized (
      select pg_advisory_xact_lock(key) from (select count(*) from gate) as passed, unnest($1::bigint[]) as key
    )
    insert into ${tableName} (stream, publication)
    select stream, publication
    from (select count(*) from locked) as held,
      unnest($2::text[], $3::text[]) with ordinality as rows (stream, publication, place)
    order by place`
}

const insertShared = toInsert('pg_advisory_xact_lock_shared')
const insertAlone = toInsert('pg_advisory_xact_lock')

/**
 * One statement, with COMMIT: locks the streams until the end of the transaction, in the same order as every other transaction does, then
 * inserts. So in each stream ids have the order of the commits. It may wait for another transaction.
 */
export async function insertRows(tx: Database, publications: readonly Publication[]): Promise<void> {
  const streams = publications.map(({ audience }) => streamKey(audience))
  const distinct = [...new Set(streams)]
  const alone = distinct.length > maxStreamLocks
  const locks = alone ? [] : distinct.map(lockOf).sort((a, b) => (a < b ? -1 : 1))
  const parameters = [locks.map(String), streams, publications.map((each) => JSON.stringify(each))]
  await drizzleSessionOf(tx).runWithCommit(alone ? insertAlone : insertShared, parameters, {
    toFailure: (error) => error,
    mayWait: true,
  })
}

/**
 * The oldest rows of all streams but `without`. Null when another process sends. Only inside of a transaction: the lock ends with it, and the server
 * ends it when this process is silent for too long.
 */
export async function lockAndRead(
  tx: Database,
  limit: number,
  without: readonly string[],
): Promise<readonly OutboxRow[] | null> {
  const [answer] = await tx
    .select({
      locked: sql<boolean>`pg_try_advisory_xact_lock(${sql.param(senderLock)}::bigint << 32 | ${sql.param(tableName)}::regclass::oid::bigint)`,
      limit: sql<string>`set_config('idle_in_transaction_session_timeout', ${sql.param(String(longestSilenceMs))}, true)`,
    })
    .from(sql`(values (1)) as one`)
  if (answer?.locked !== true) return null
  const others = without.length === 0 ? undefined : notInArray(outbox.stream, [...without])
  return tx.select().from(outbox).where(others).orderBy(outbox.id).limit(limit)
}

/** In the transaction of `lockAndRead`: rejects when it has ended, and the lock with it. */
export async function checkLock(tx: Database): Promise<void> {
  await tx.execute(sql`select 1`)
}

const removeText = `delete from ${tableName} where id = any($1::bigint[])`

/** With COMMIT of the transaction of `lockAndRead`. */
export function removeRows(tx: Database, ids: readonly bigint[]): Promise<void> {
  return drizzleSessionOf(tx).runWithCommit(removeText, [ids.map(String)], {
    toFailure: (error) => error,
    mayWait: false,
  })
}

/** How long the oldest row has waited, by the clock of the database; null without rows. */
export async function readLagMs(db: Database): Promise<number | null> {
  const [oldest] = await db
    .select({ ms: sql<number>`extract(epoch from clock_timestamp() - ${outbox.createdAt})::float8 * 1000` })
    .from(outbox)
    .orderBy(outbox.id)
    .limit(1)
  return oldest === undefined ? null : Math.max(0, oldest.ms)
}

function lockOf(stream: string): bigint {
  return createHash('sha256').update('twinwire_outbox ').update(stream).digest().readBigInt64BE(0)
}
