import type { PGlite } from '@electric-sql/pglite'
import type { TablesRelationalConfig } from 'drizzle-orm'
import type { PgDialect, PgTransactionConfig } from 'drizzle-orm/pg-core'
import { PgliteSession, PgliteTransaction } from 'drizzle-orm/pglite'
import type { TransactionMode } from '../transaction-options.ts'
import type { PgliteForm } from './pglite-connection.ts'
import type { Queries } from './queries.ts'
import type { Scope } from './scope.ts'
import type { NestedSession, TransactionSession } from './transaction-session.ts'

type Relations<S extends TablesRelationalConfig> = ConstructorParameters<typeof PgliteSession<Tables, S>>[2]
type Tables = Record<string, unknown>

export interface PooledSessionOptions<S extends TablesRelationalConfig> {
  readonly server: PGlite
  readonly queries: Queries<PgliteForm>
  readonly scope: Scope | null
  readonly mode: TransactionMode
  readonly dialect: PgDialect
  readonly relations: Relations<S>
}

type Query = (text: string, parameters?: unknown[], form?: PgliteForm) => Promise<unknown>

/** `server`, but for the part that drizzle uses of it. */
function withQuery(server: PGlite, query: Query): PGlite {
  return Object.assign(Object.create(server), { query })
}

/** drizzle's way to a PGlite, by a pool. */
export class PooledSession<S extends TablesRelationalConfig> extends PgliteSession<Tables, S> {
  readonly #options: PooledSessionOptions<S>

  constructor(options: PooledSessionOptions<S>) {
    const { server, queries, scope, dialect, relations } = options
    const query: Query = (text, parameters = [], form) => queries.run({ text, parameters, form }, scope)
    super(withQuery(server, query), dialect, relations)
    this.#options = options
  }

  override transaction<T>(
    run: (tx: PgliteTransaction<Tables, S>) => Promise<T>,
    config?: PgTransactionConfig,
  ): Promise<T> {
    const { queries, scope, mode } = this.#options
    return queries.transact(scope, mode, async (session) => {
      const tx = toTransaction(session, this.#options)
      if (config !== undefined) await tx.setTransaction(config)
      return run(tx)
    })
  }
}

type Session = TransactionSession<PgliteForm> | NestedSession<PgliteForm>

function toTransaction<S extends TablesRelationalConfig>(
  session: Session,
  options: PooledSessionOptions<S>,
): PgliteTransaction<Tables, S> {
  const { server, dialect, relations } = options
  const query: Query = (text, parameters = [], form) => session.run({ text, parameters, form })
  const tx = new PgliteTransaction<Tables, S>(
    dialect,
    new PgliteSession(withQuery(server, query), dialect, relations),
    relations,
  )
  // drizzle's own savepoints have one name for all that are side by side.
  tx.transaction = (run) => session.savepoint((nested) => run(toTransaction(nested, options)))
  return tx
}
