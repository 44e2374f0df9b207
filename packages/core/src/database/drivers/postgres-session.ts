import type { TablesRelationalConfig } from 'drizzle-orm'
import type { PgDialect, PgPreparedQuery, PgTransactionConfig, PreparedQueryConfig } from 'drizzle-orm/pg-core'
import { PostgresJsSession, PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import type { Sql, TransactionSql } from 'postgres'
import { type HandOut, type HandsOut, handOutQuery } from './hand-out.ts'
import type { DrizzleClient, DrizzleTransaction } from './postgres-client.ts'
import type { Scope } from './scope.ts'

type Tables = Record<string, unknown>
type Relations<S extends TablesRelationalConfig> = ConstructorParameters<typeof PostgresJsSession<Sql, Tables, S>>[2]
type Client = Sql & TransactionSql

export interface PostgresSessionOptions<S extends TablesRelationalConfig> {
  readonly scope: Scope | null
  readonly handOut: HandOut
  readonly dialect: PgDialect
  readonly relations: Relations<S>
}

/** The client has what drizzle uses of postgres.js; its type asks for all of it. */
export function toSql(client: DrizzleClient | DrizzleTransaction): Client {
  return client as unknown as Client
}

/** The statements of a pool or of a transaction. */
class StatementSession<S extends TablesRelationalConfig>
  extends PostgresJsSession<Client, Tables, S>
  implements HandsOut
{
  protected readonly options: PostgresSessionOptions<S>

  constructor(client: DrizzleClient | DrizzleTransaction, options: PostgresSessionOptions<S>) {
    super(toSql(client), options.dialect, options.relations)
    this.options = options
  }

  handOut<T>(work: Promise<T>, name: string): Promise<T> {
    return this.options.handOut(work, name, this.options.scope)
  }

  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    ...query: Parameters<PostgresJsSession<Client, Tables, S>['prepareQuery']>
  ): PgPreparedQuery<T> {
    return handOutQuery(super.prepareQuery<T>(...query), this)
  }
}

/** drizzle's way to a PostgreSQL, by a pool. */
export class PooledSession<S extends TablesRelationalConfig> extends StatementSession<S> {
  readonly #client: DrizzleClient

  constructor(client: DrizzleClient, options: PostgresSessionOptions<S>) {
    super(client, options)
    this.#client = client
  }

  override transaction<T>(
    run: (tx: PostgresJsTransaction<Tables, S>) => Promise<T>,
    config?: PgTransactionConfig,
  ): Promise<T> {
    const work = this.#client.begin(async (client) => {
      const tx = toTransaction(client, this.options)
      if (config !== undefined) await tx.setTransaction(config)
      return run(tx)
    })
    return this.handOut(work, 'db.transaction')
  }
}

function toTransaction<S extends TablesRelationalConfig>(
  client: DrizzleTransaction,
  options: PostgresSessionOptions<S>,
): PostgresJsTransaction<Tables, S> {
  const { dialect, relations, handOut, scope } = options
  const tx = new PostgresJsTransaction<Tables, S>(dialect, new StatementSession(client, options), relations)
  tx.transaction = (run) =>
    handOut(
      client.savepoint((nested) => run(toTransaction(nested, options))),
      'tx.transaction',
      scope,
    )
  return tx
}
