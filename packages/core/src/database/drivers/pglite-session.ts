import type { PGlite } from '@electric-sql/pglite'
import type { TablesRelationalConfig } from 'drizzle-orm'
import type { PgDialect, PgPreparedQuery, PgTransactionConfig, PreparedQueryConfig } from 'drizzle-orm/pg-core'
import { PgliteSession, PgliteTransaction } from 'drizzle-orm/pglite'
import type { TransactionMode } from '../transaction-options.ts'
import { type HandOut, type HandsOut, handOutQuery } from './hand-out.ts'
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
  readonly handOut: HandOut
  readonly dialect: PgDialect
  readonly relations: Relations<S>
}

type Query = (text: string, parameters?: unknown[], form?: PgliteForm) => Promise<unknown>

/** `server`, but for the part that drizzle uses of it. */
function withQuery(server: PGlite, query: Query): PGlite {
  return Object.assign(Object.create(server), { query })
}

/** The statements of a pool or of a transaction. */
class StatementSession<S extends TablesRelationalConfig> extends PgliteSession<Tables, S> implements HandsOut {
  readonly #options: PooledSessionOptions<S>

  constructor(query: Query, options: PooledSessionOptions<S>) {
    super(withQuery(options.server, query), options.dialect, options.relations)
    this.#options = options
  }

  handOut<T>(work: Promise<T>, name: string): Promise<T> {
    return this.#options.handOut(work, name, this.#options.scope)
  }

  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    ...query: Parameters<PgliteSession<Tables, S>['prepareQuery']>
  ): PgPreparedQuery<T> {
    return handOutQuery(super.prepareQuery<T>(...query), this)
  }
}

/** drizzle's way to a PGlite, by a pool. */
export class PooledSession<S extends TablesRelationalConfig> extends StatementSession<S> {
  readonly #options: PooledSessionOptions<S>

  constructor(options: PooledSessionOptions<S>) {
    const { queries, scope } = options
    super((text, parameters = [], form) => queries.run({ text, parameters, form }, scope), options)
    this.#options = options
  }

  override transaction<T>(
    run: (tx: PgliteTransaction<Tables, S>) => Promise<T>,
    config?: PgTransactionConfig,
  ): Promise<T> {
    const { queries, scope, mode } = this.#options
    const work = queries.transact(scope, mode, async (session) => {
      const tx = toTransaction(session, this.#options)
      if (config !== undefined) await tx.setTransaction(config)
      return run(tx)
    })
    return this.handOut(work, 'db.transaction')
  }
}

type Session = TransactionSession<PgliteForm> | NestedSession<PgliteForm>

function toTransaction<S extends TablesRelationalConfig>(
  session: Session,
  options: PooledSessionOptions<S>,
): PgliteTransaction<Tables, S> {
  const { dialect, relations, handOut, scope } = options
  const query: Query = (text, parameters = [], form) => session.run({ text, parameters, form })
  const tx = new PgliteTransaction<Tables, S>(dialect, new StatementSession(query, options), relations)
  // drizzle's own savepoints have one name for all that are side by side.
  tx.transaction = (run) =>
    handOut(
      session.savepoint((nested) => run(toTransaction(nested, options))),
      'tx.transaction',
      scope,
    )
  return tx
}
