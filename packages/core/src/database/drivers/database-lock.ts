import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/** Any number that no other user of the database picks for its advisory locks: the bytes of 'twinwire'. */
const lockId = '8392292353798926949'

/** Those that would end the transaction that holds the lock. */
const timeouts = [
  'idle_in_transaction_session_timeout',
  'statement_timeout',
  'lock_timeout',
  'transaction_timeout',
  'idle_session_timeout',
]

/** How often one asks who waits, on average. */
const pauseMs = 200

/**
 * Takes the lock of the database, which goes with this connection or with `rollback` on it. It is one of a transaction that stays open, since
 * behind a PgBouncer a session is nobody's own; what is done under it is done on another connection.
 *
 * It is asked for again and again: a transaction that waits for it would hold a snapshot, for which CREATE INDEX CONCURRENTLY of the
 * process that has the lock would wait in turn, for ever. The one that has it holds no snapshot between its statements
 * (`read committed`).
 */
export async function lockDatabase(
  connection: PostgresConnection,
  { clock, log }: { readonly clock: Clock; readonly log: Pick<Logger, 'info'> },
): Promise<void> {
  const names = timeouts.map((name) => `'${name}'`).join(', ')
  for (let attempt = 1; ; attempt += 1) {
    // Only those that this version of PostgreSQL has.
    await connection.command(
      'begin isolation level read committed; ' +
        `select set_config(name, '0', true) from pg_settings where name in (${names})`,
      null,
    )
    const text = `select true where pg_try_advisory_xact_lock(${lockId})`
    const rows: unknown = await connection.run({ text, parameters: [], form: { values: true } }, null)
    if (Array.isArray(rows) && rows.length === 1) return
    await connection.command('rollback', null)
    if (attempt === 1) log.info('Another process migrates the database: waiting for it to end')
    await new Promise<void>((resolve) => clock.timer(pauseMs * (0.5 + Math.random()), resolve))
  }
}
