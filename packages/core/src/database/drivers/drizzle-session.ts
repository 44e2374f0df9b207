import {
  createTableRelationsHelpers,
  DrizzleQueryError,
  extractTablesRelationalConfig,
  fillPlaceholders,
  type Query,
  type SQL,
  type TablesRelationalConfig,
} from 'drizzle-orm'
import {
  PgPreparedQuery,
  type PgQueryResultHKT,
  PgSession,
  PgTransaction,
  type PgTransactionConfig,
  type PreparedQueryConfig,
} from 'drizzle-orm/pg-core'
import type { Database } from '../database.ts'
import type { TransactionMode } from '../transaction-options.ts'
import { toParameter } from '../values/parameters.ts'
import { type Reader, readerOf } from '../values/type-readers.ts'
import type { Statement, StatementResult } from './connection.ts'
import type { Dialect, RelationalReader } from './drizzle-dialect.ts'
import { type DropSafe, type DropSafeSession, dropSafeQuery } from './drop-safe-session.ts'
import type { FirstStatement } from './first-statement.ts'
import type { NestedSession } from './nested-session.ts'
import type { Queries } from './queries.ts'
import { createRowReader, type Fields, isTextRow, type JoinedTables, type TextRow, toTextRows } from './row-reader.ts'
import type { Scope } from './scope.ts'
import { TransactionSession } from './transaction-session.ts'

type Tables = Record<string, unknown>

/** The tables of `schema`, as drizzle keeps them. */
export interface Relational {
  readonly fullSchema: Tables
  readonly schema: TablesRelationalConfig
  readonly tableNamesMap: Record<string, string>
}

export function toRelational(schema: Tables | undefined): Relational | undefined {
  if (schema === undefined) return undefined
  const { tables, tableNamesMap } = extractTablesRelationalConfig(schema, createTableRelationsHelpers)
  return { fullSchema: schema, schema: tables, tableNamesMap }
}

export interface SessionOptions {
  readonly queries: Queries
  readonly scope: Scope | null
  readonly mode: TransactionMode
  /** Of a transaction. */
  readonly first: FirstStatement | null
  readonly dropSafe: DropSafe
  readonly dialect: Dialect
  readonly relational: Relational | undefined
}

export interface LastStatementOptions {
  readonly toFailure: (error: unknown) => unknown
  readonly mayWait: boolean
}

type Run = (statement: Statement) => Promise<StatementResult>

/** drizzle's way to the database: the same pool and codecs for all drivers, so that all read and write alike. */
export class DrizzleSession
  extends PgSession<PgQueryResultHKT, Tables, TablesRelationalConfig>
  implements DropSafeSession
{
  readonly #options: SessionOptions
  readonly #run: Run
  readonly #transaction: TransactionSession | null

  constructor(options: SessionOptions, session?: Session) {
    super(options.dialect)
    const { queries, scope } = options
    this.#options = options
    this.#transaction = session instanceof TransactionSession ? session : null
    this.#run =
      session === undefined ? (statement) => queries.run(statement, scope) : (statement) => session.run(statement)
  }

  dropSafe<T>(work: Promise<T>, name: string): Promise<T> {
    return this.#options.dropSafe(work, name, this.#options.scope)
  }

  /** SQL as it is: drizzle's builders add about half to the CPU of a short statement. Rows are strings. */
  async runText(text: string, parameters: readonly unknown[]): Promise<readonly TextRow[]> {
    try {
      return toTextRows(await this.#run(toStatement(text, parameters)))
    } catch (cause) {
      throw new DrizzleQueryError(text, [...parameters], toError(cause))
    }
  }

  /** With COMMIT; outside of a transaction, and in a savepoint, at once. `mayWait`: for another transaction. */
  async runWithCommit(
    text: string,
    parameters: readonly unknown[],
    { toFailure, mayWait }: LastStatementOptions,
  ): Promise<void> {
    if (this.#transaction !== null) return this.#transaction.addLast(toStatement(text, parameters), toFailure, mayWait)
    try {
      await this.runText(text, parameters)
    } catch (error) {
      throw toFailure(error)
    }
  }

  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    query: Query,
    fields: Fields | undefined,
    _name: string | undefined,
    _isArrays: boolean,
    toResult?: (rows: unknown[][]) => T['execute'],
  ): PgPreparedQuery<T> {
    return dropSafeQuery(new DrizzleQuery(query, this.#run, this.#options, fields, toResult), this)
  }

  override async count(query: SQL): Promise<number> {
    const [row] = await this.all<{ readonly count: unknown }>(query)
    return Number(row?.count)
  }

  override transaction<T>(run: (tx: DrizzleTransaction) => Promise<T>, config?: PgTransactionConfig): Promise<T> {
    const { queries, scope, mode, first } = this.#options
    const work = queries.transact(scope, mode, first, async (session) => {
      const tx = new DrizzleTransaction(session, this.#options)
      if (config !== undefined) await tx.setTransaction(config)
      return run(tx)
    })
    return this.dropSafe(work, 'db.transaction')
  }
}

/** That of a handle which this package made. */
export function drizzleSessionOf(db: Database): DrizzleSession {
  const { session } = db._
  if (session instanceof DrizzleSession) return session
  throw new TypeError('A handle that database() did not make')
}

type Session = TransactionSession | NestedSession

/** drizzle's own savepoints have one name for all that are side by side. */
class DrizzleTransaction extends PgTransaction<PgQueryResultHKT, Tables, TablesRelationalConfig> {
  readonly #session: Session
  readonly #options: SessionOptions

  constructor(session: Session, options: SessionOptions) {
    super(options.dialect, new DrizzleSession(options, session), options.relational)
    this.#session = session
    this.#options = options
  }

  override transaction<T>(run: (tx: DrizzleTransaction) => Promise<T>): Promise<T> {
    const { dropSafe, scope } = this.#options
    const work = this.#session.savepoint((nested) => run(new DrizzleTransaction(nested, this.#options)))
    return dropSafe(work, 'tx.transaction', scope)
  }
}

class DrizzleQuery<T extends PreparedQueryConfig> extends PgPreparedQuery<T> {
  /** Set by drizzle's select. */
  joinsNotNullableMap: JoinedTables | undefined
  readonly #run: Run
  readonly #fields: Fields | undefined
  readonly #toResult: ((rows: unknown[][]) => T['execute']) | undefined
  readonly #relational: readonly RelationalReader[] | undefined

  constructor(
    query: Query,
    run: Run,
    options: SessionOptions,
    fields: Fields | undefined,
    toResult: ((rows: unknown[][]) => T['execute']) | undefined,
  ) {
    super(query, undefined, undefined)
    this.#run = run
    this.#fields = fields
    this.#toResult = toResult
    this.#relational = toResult === undefined ? undefined : options.dialect.readersOf(query)
  }

  override async execute(values: Record<string, unknown> = {}): Promise<T['execute']> {
    if (this.#fields === undefined && this.#toResult === undefined) return (await this.#sendRaw(values)).raw
    const { sets } = await this.#send(values, 'array')
    const { rows, columns } = sets[0] ?? { rows: [], columns: [] }
    const strings = rows.filter(isTextRow)
    const types = columns.map(({ type }) => type)
    if (this.#fields !== undefined) {
      return strings.map(createRowReader(this.#fields, types, this.joinsNotNullableMap))
    }
    const readers = types.map((type, index) => this.#relational?.[index]?.(type) ?? null)
    return this.#toResult?.(strings.map((row) => row.map((text, index) => read(readers[index], text))))
  }

  /** drizzle's `session.all`. */
  async all(values: Record<string, unknown> = {}): Promise<readonly unknown[]> {
    return (await this.#sendRaw(values)).sets[0]?.rows ?? []
  }

  /** For a query whose columns drizzle does not know: values are read by their type alone. */
  async #sendRaw(values: Record<string, unknown>): Promise<StatementResult> {
    const result = await this.#send(values, 'object')
    for (const { rows, columns } of result.sets) {
      const readers = columns.flatMap(({ name, type }): [string, Reader][] => {
        const reader = readerOf(type)
        return reader === null ? [] : [[name, reader]]
      })
      if (readers.length === 0) continue
      for (const row of rows) {
        if (!isObject(row)) continue
        for (const [name, reader] of readers) {
          const text = row[name]
          if (typeof text === 'string') row[name] = reader(text)
        }
      }
    }
    return result
  }

  async #send(values: Record<string, unknown>, rowMode: Statement['rowMode']): Promise<StatementResult> {
    const text = this.query.sql
    const given = fillPlaceholders(this.query.params, values)
    try {
      return await this.#run({ text, parameters: given.map(toParameter), rowMode })
    } catch (cause) {
      throw new DrizzleQueryError(text, given, toError(cause))
    }
  }
}

function read(reader: Reader | null | undefined, text: string | null): unknown {
  return text === null || reader === null || reader === undefined ? text : reader(text)
}

function toStatement(text: string, parameters: readonly unknown[]): Statement {
  return { text, parameters: parameters.map(toParameter), rowMode: 'array' }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause))
}
