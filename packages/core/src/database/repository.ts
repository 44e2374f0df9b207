import { count, eq, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { type Page, page } from '../call/page.ts'
import { NotFoundError, ValidationError } from '../errors/app-error.ts'
import type { Database } from './database.ts'
import { type Filters, type OrderBy, toOneWhere, toOrderBy, toWhere } from './filters.ts'
import { type PageRequest, toOffset } from './page.ts'
import { type IdOf, type InsertOf, type PatchOf, type RowOf, type TableShape, toTableShape } from './table.ts'

/** Which part of the rows, and in which order. */
export interface ListOptions<TTable extends PgTable> {
  /** Most rows to return. Default 1000: a table that grows does not fill the memory one day. */
  readonly limit?: number | undefined
  /** Rows to skip. Default 0. */
  readonly offset?: number | undefined
  /** Default by primary key, which is also added as the last term. */
  readonly orderBy?: OrderBy<TTable> | undefined
  /** Any further condition, in drizzle's words: `ilike(authors.name, 'a%')`. */
  readonly where?: SQL | undefined
}

const defaultLimit = 1000

/**
 * Data access for one drizzle table with a primary key of one column; everything is typed by the table. Extend it with the
 * queries of your domain: `this.db` and `this.table` are drizzle's own. Made from the `db` of a call, so that it takes part
 * in the call's transaction.
 *
 * A table without such a key is a TypeError on construction.
 *
 * @example
 * class AuthorRepository extends BaseRepository<typeof authors> {
 *   constructor(db: Database) {
 *     super(db, authors)
 *   }
 *   findByName(name: string): Promise<Author | null> {
 *     return this.findOne({ name })
 *   }
 * }
 */
export class BaseRepository<TTable extends PgTable> {
  protected readonly db: Database
  protected readonly table: TTable
  /** What messages call a row; from the table's name (`authors` -> `Author`) unless a subclass says otherwise. */
  protected readonly entityName: string
  readonly #shape: TableShape

  constructor(db: Database, table: TTable) {
    this.db = db
    this.table = table
    this.#shape = toTableShape(table)
    this.entityName = this.#shape.entityName
  }

  /** Throws NotFoundError: `Author with ID 7 not found`. */
  async getById(id: IdOf<TTable>): Promise<RowOf<TTable>> {
    const [row] = await this.db.select().from(this.#shape.table).where(this.#isId(id)).limit(1)
    return this.#found(row, id)
  }

  /** Rows that equal all `filters`, at most 1000 unless `limit` says otherwise, always in a total order. */
  async getAll(filters: Filters<TTable> = {}, options: ListOptions<TTable> = {}): Promise<RowOf<TTable>[]> {
    const { limit = defaultLimit, offset = 0, orderBy = {}, where } = options
    const rows = await this.db
      .select()
      .from(this.#shape.table)
      .where(toWhere(this.#shape, filters, where))
      .orderBy(...toOrderBy(this.#shape, orderBy))
      .limit(toCount('limit', limit))
      .offset(toCount('offset', offset))
    return rows.map((row) => this.#row(row))
  }

  /**
   * One page and how many there are: the result of a handler as it is. Asks twice: for the total, then for the rows.
   * Throws ValidationError for a page below 1 and for a page size outside of 1 to 1000.
   *
   * @example
   * search(term: string, page: number, perPage: number) {
   *   return this.getPage({ page, perPage, where: ilike(this.table.name, `%${term}%`), orderBy: { name: 'asc' } })
   * }
   */
  async getPage(request: PageRequest<TTable>): Promise<Page<RowOf<TTable>>> {
    const { perPage, filters = {}, where, orderBy } = request
    const offset = toOffset(request)
    const total = await this.#count(toWhere(this.#shape, filters, where))
    const rows = offset < total ? await this.getAll(filters, { limit: perPage, offset, orderBy, where }) : []
    return page(rows, { page: request.page, per_page: perPage, total })
  }

  /**
   * The first row by primary key that equals all `filters`. Throws ValidationError when all of them are undefined: a value
   * that was forgotten finds nobody.
   */
  async findOne(filters: Filters<TTable>): Promise<RowOf<TTable> | null> {
    const where = toOneWhere(this.#shape, filters)
    const [row] = await this.db
      .select()
      .from(this.#shape.table)
      .where(where)
      .orderBy(...toOrderBy(this.#shape, {}))
      .limit(1)
    return row === undefined ? null : this.#row(row)
  }

  /** Is there such a row? Throws ValidationError when all filters are undefined; `{}` asks whether there is any row. */
  async exists(filters: Filters<TTable>): Promise<boolean> {
    const where = toOneWhere(this.#shape, filters)
    const rows = await this.db.select({ one: sql`1` }).from(this.#shape.table).where(where).limit(1)
    return rows.length > 0
  }

  /** How many rows equal all `filters`. */
  async count(filters: Filters<TTable> = {}): Promise<number> {
    return this.#count(toWhere(this.#shape, filters))
  }

  /** The row as the database has it, defaults included. */
  async create(values: InsertOf<TTable>): Promise<RowOf<TTable>> {
    const [row] = await this.db.insert(this.#shape.table).values(values).returning()
    if (row === undefined) throw new Error(`The insert of one ${this.entityName} returned no row`)
    return this.#row(row)
  }

  /**
   * The row after the change. Undefined values change nothing; a patch without any value reads the row.
   * Throws NotFoundError.
   */
  async update(id: IdOf<TTable>, patch: PatchOf<TTable>): Promise<RowOf<TTable>> {
    const { table, columns } = this.#shape
    const changes = Object.entries(patch).filter(([name, value]) => value !== undefined && Object.hasOwn(columns, name))
    if (changes.length === 0) return this.getById(id)
    const [row] = await this.db.update(table).set(Object.fromEntries(changes)).where(this.#isId(id)).returning()
    return this.#found(row, id)
  }

  /** Throws NotFoundError when there was no such row. */
  async delete(id: IdOf<TTable>): Promise<void> {
    const { table, primaryKey } = this.#shape
    const [row] = await this.db.delete(table).where(this.#isId(id)).returning({ id: primaryKey })
    if (row === undefined) throw this.#notFound(id)
  }

  async #count(where: SQL | undefined): Promise<number> {
    const [row] = await this.db.select({ total: count() }).from(this.#shape.table).where(where)
    return row?.total ?? 0
  }

  #isId(id: IdOf<TTable>): SQL {
    return eq(this.#shape.primaryKey, id)
  }

  #found(row: Record<string, unknown> | undefined, id: IdOf<TTable>): RowOf<TTable> {
    if (row === undefined) throw this.#notFound(id)
    return this.#row(row)
  }

  #notFound(id: IdOf<TTable>): NotFoundError {
    return new NotFoundError(`${this.entityName} with ID ${String(id)} not found`)
  }

  /** The queries above run on `shape.table`, which is `table`: drizzle's builders take no table that is still a type parameter. */
  #row(row: Record<string, unknown>): RowOf<TTable> {
    return row as RowOf<TTable>
  }
}

function toCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ValidationError(`Invalid ${name}`, [{ path: name, message: 'Must be a whole number that is not negative' }])
}
