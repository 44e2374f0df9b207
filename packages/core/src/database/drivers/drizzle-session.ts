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
import type { TransactionMode } from '../transaction-options.ts'
import { toParameter } from '../values/parameters.ts'
import { type Reader, readerOf } from '../values/type-readers.ts'
import type { Statement } from './connection.ts'
import type { Dialect, RelationalReader } from './drizzle-dialect.ts'
import { type HandOut, type HandsOut, handOutQuery } from './hand-out.ts'
import type { Queries } from './queries.ts'
import { createRowReader, type Fields, type JoinedTables, type Texts } from './row-reader.ts'
import type { Scope } from './scope.ts'
import type { NestedSession, TransactionSession } from './transaction-session.ts'

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

/** The rows of one statement, with the names and types of their columns. Values are PostgreSQL's texts. */
export interface ResultSet {
  readonly rows: readonly unknown[]
  readonly columns: readonly { readonly name: string; readonly type: number }[]
}

/** How one driver is asked for rows, and what it answers with. */
export interface ResultForm<Form> {
  readonly arrays: Form
  readonly objects: Form
  /** Of the driver's result; several for a text of several statements. */
  toSets(result: unknown): readonly ResultSet[]
}

export interface SessionOptions<Form> {
  readonly queries: Queries<Form>
  readonly scope: Scope | null
  readonly mode: TransactionMode
  readonly handOut: HandOut
  readonly form: ResultForm<Form>
  readonly dialect: Dialect
  readonly relational: Relational | undefined
}

type Run<Form> = (statement: Statement<Form>) => Promise<unknown>

/** drizzle's way to the database, by a pool of ours: the same for all drivers, so that they read and write alike. */
export class DrizzleSession<Form>
  extends PgSession<PgQueryResultHKT, Tables, TablesRelationalConfig>
  implements HandsOut
{
  readonly #options: SessionOptions<Form>
  readonly #run: Run<Form>

  constructor(options: SessionOptions<Form>, session?: Session<Form>) {
    super(options.dialect)
    const { queries, scope } = options
    this.#options = options
    this.#run =
      session === undefined ? (statement) => queries.run(statement, scope) : (statement) => session.run(statement)
  }

  handOut<T>(work: Promise<T>, name: string): Promise<T> {
    return this.#options.handOut(work, name, this.#options.scope)
  }

  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    query: Query,
    fields: Fields | undefined,
    _name: string | undefined,
    _isArrays: boolean,
    toResult?: (rows: unknown[][]) => T['execute'],
  ): PgPreparedQuery<T> {
    return handOutQuery(new DrizzleQuery(query, this.#run, this.#options, fields, toResult), this)
  }

  override async count(query: SQL): Promise<number> {
    const [row] = await this.all<{ readonly count: unknown }>(query)
    return Number(row?.count)
  }

  override transaction<T>(run: (tx: DrizzleTransaction<Form>) => Promise<T>, config?: PgTransactionConfig): Promise<T> {
    const { queries, scope, mode } = this.#options
    const work = queries.transact(scope, mode, async (session) => {
      const tx = new DrizzleTransaction(session, this.#options)
      if (config !== undefined) await tx.setTransaction(config)
      return run(tx)
    })
    return this.handOut(work, 'db.transaction')
  }
}

type Session<Form> = TransactionSession<Form> | NestedSession<Form>

/** drizzle's own savepoints have one name for all that are side by side. */
class DrizzleTransaction<Form> extends PgTransaction<PgQueryResultHKT, Tables, TablesRelationalConfig> {
  readonly #session: Session<Form>
  readonly #options: SessionOptions<Form>

  constructor(session: Session<Form>, options: SessionOptions<Form>) {
    super(options.dialect, new DrizzleSession(options, session), options.relational)
    this.#session = session
    this.#options = options
  }

  override transaction<T>(run: (tx: DrizzleTransaction<Form>) => Promise<T>): Promise<T> {
    const { handOut, scope } = this.#options
    const work = this.#session.savepoint((nested) => run(new DrizzleTransaction(nested, this.#options)))
    return handOut(work, 'tx.transaction', scope)
  }
}

class DrizzleQuery<T extends PreparedQueryConfig, Form> extends PgPreparedQuery<T> {
  /** Set by drizzle's select. */
  joinsNotNullableMap: JoinedTables | undefined
  readonly #run: Run<Form>
  readonly #options: SessionOptions<Form>
  readonly #fields: Fields | undefined
  readonly #toResult: ((rows: unknown[][]) => T['execute']) | undefined
  readonly #relational: readonly RelationalReader[] | undefined

  constructor(
    query: Query,
    run: Run<Form>,
    options: SessionOptions<Form>,
    fields: Fields | undefined,
    toResult: ((rows: unknown[][]) => T['execute']) | undefined,
  ) {
    super(query, undefined, undefined)
    this.#run = run
    this.#options = options
    this.#fields = fields
    this.#toResult = toResult
    this.#relational = toResult === undefined ? undefined : options.dialect.readersOf(query)
  }

  override async execute(values: Record<string, unknown> = {}): Promise<T['execute']> {
    const { form } = this.#options
    if (this.#fields === undefined && this.#toResult === undefined) return this.#raw(values)
    const result = await this.#ask(values, form.arrays)
    const { rows, columns } = form.toSets(result)[0] ?? { rows: [], columns: [] }
    const texts = rows.filter(isTexts)
    const types = columns.map(({ type }) => type)
    if (this.#fields !== undefined) {
      return texts.map(createRowReader(this.#fields, types, this.joinsNotNullableMap))
    }
    const readers = types.map((type, index) => this.#relational?.[index]?.(type) ?? null)
    return this.#toResult?.(texts.map((row) => row.map((text, index) => read(readers[index], text))))
  }

  /** drizzle's `session.all`. */
  async all(values: Record<string, unknown> = {}): Promise<readonly unknown[]> {
    return this.#options.form.toSets(await this.#raw(values))[0]?.rows ?? []
  }

  /** The driver's own result: of each value only the type is known. */
  async #raw(values: Record<string, unknown>): Promise<unknown> {
    const { form } = this.#options
    const result = await this.#ask(values, form.objects)
    for (const { rows, columns } of form.toSets(result)) {
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

  async #ask(values: Record<string, unknown>, form: Form): Promise<unknown> {
    const text = this.query.sql
    const given = fillPlaceholders(this.query.params, values)
    try {
      return await this.#run({ text, parameters: given.map(toParameter), form })
    } catch (cause) {
      throw new DrizzleQueryError(text, given, toError(cause))
    }
  }
}

function read(reader: Reader | null | undefined, text: string | null): unknown {
  return text === null || reader === null || reader === undefined ? text : reader(text)
}

/** With `arrays` every row is one. */
function isTexts(row: unknown): row is Texts {
  return Array.isArray(row)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause))
}
