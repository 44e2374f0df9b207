import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Connection } from './connection.ts'

/** A number that no other user of the database chooses for its advisory locks: the bytes of 'twinwire'. */
const lockId = '8392292353798926949'

/** Settings that would end the transaction that holds the lock. */
const timeouts = [
  'idle_in_transaction_session_timeout',
  'statement_timeout',
  'lock_timeout',
  'transaction_timeout',
  'idle_session_timeout',
]

/** Average pause between attempts. */
const pauseMs = 200

/**
 * Takes the lock of the database, until `rollback` or the end of the connection. It is the lock of a transaction that stays open, because
 * behind a PgBouncer (transaction mode) a session is shared; the work under the lock runs on another connection.
 *
 * It polls: a transaction that waits for the lock would hold a snapshot, and CREATE INDEX CONCURRENTLY of the process that has the lock
 * would wait for that snapshot: a deadlock. The transaction that has the lock holds no snapshot between its statements (`read committed`).
 */
export async function lockDatabase(
  connection: Connection,
  { clock, log }: { readonly clock: Clock; readonly log: Pick<Logger, 'info'> },
): Promise<void> {
  const names = timeouts.map((name) => `'${name}'`).join(', ')
  for (let attempt = 1; ; attempt += 1) {
    // Only the settings that this version of PostgreSQL has.
    await connection.command(
      'begin isolation level read committed; ' +
        `select set_config(name, '0', true) from pg_settings where name in (${names})`,
      null,
    )
    const text = `select true where pg_try_advisory_xact_lock(${lockId})`
    const { sets } = await connection.run({ text, parameters: [], rowMode: 'array' }, null)
    if (sets[0]?.rows.length === 1) return
    await connection.command('rollback', null)
    if (attempt === 1) log.info('Another process migrates the database: waiting for it to end')
    await new Promise<void>((resolve) => clock.timer(pauseMs * (0.5 + Math.random()), resolve))
  }
}
