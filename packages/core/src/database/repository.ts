import { and, count, getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { type Page, page } from '../call/page.ts'
import { ConflictError, NotFoundError, ValidationError } from '../errors/app-error.ts'
import { type CursorScope, fromCursor, toCursor } from './cursor.ts'
import type { Database } from './database.ts'
import { sessionOf } from './drivers/drop-safe-session.ts'
import { equals, type Filters, toOneWhere, toStrictWhere, toWhere } from './filters.ts'
import { isId, toIdList, toIdText } from './identify.ts'
import { toKeyset } from './keyset.ts'
import { type OrderBy, type SortTerm, toOrderBy, toTerms } from './order.ts'
import { type PageRequest, toOffset, toSize } from './page.ts'
import { pageSettingsOf } from './page-settings.ts'
import { type Loaded, loadRelations, type Relations } from './relations.ts'
import { checkKey, findVersion, type RepositoryOptions } from './repository-options.ts'
import {
  type ColumnName,
  findColumn,
  type IdOf,
  type InsertOf,
  type KeyName,
  type PatchOf,
  type RowOf,
  type ShapeColumn,
  type TableShape,
  toTableShape,
} from './table.ts'
import { readWalk } from './walk.ts'
import { deleteCounting, insertAll, insertOrUpdate, toChanges, toNextVersion, toStored } from './writes.ts'

/** Which part of the rows, and in which order. */
export interface ListOptions<TTable extends PgTable> {
  /** Most rows to return. Default 1000: a table that grows does not fill the memory one day. */
  readonly limit?: number | undefined
  /** Rows to skip. Default 0. */
  readonly offset?: number | undefined
  /** Default by primary key, which is also added as the last term. */
  readonly orderBy?: OrderBy<TTable> | undefined
  /** Any further condition, in drizzle's words: `gt(authors.born, authors.died)`. */
  readonly where?: SQL | undefined
}

/** For optimistic locking, see `version` of `RepositoryOptions`. */
export interface VersionOptions {
  /** The version that the caller has read. */
  readonly version?: number | bigint | undefined
}

export interface UpsertOptions<TTable extends PgTable> {
  /** The columns of the unique index by which a row is taken to be there already. Default the primary key. */
  readonly on?: readonly ColumnName<TTable>[] | undefined
  /** What to change in the row that is there. Default all that is given, but `on` and the primary key. */
  readonly patch?: PatchOf<TTable> | undefined
}

const defaultLimit = 1000

/**
 * Data access for one drizzle table with a primary key; everything is typed by the table. Extend it with the queries of your
 * domain: `this.db` and `this.table` are drizzle's own. Made from the `db` of a call, so that it takes part in the call's
 * transaction.
 *
 * A value that a column cannot take (past its range, no UUID, with U+0000 in it) is a ValidationError, wherever it comes
 * from. A table without a primary key, or with one of several columns that is not named, is a TypeError on construction.
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
 *
 * class MembershipRepository extends BaseRepository<typeof memberships, 'userId' | 'groupId'> {
 *   constructor(db: Database) {
 *     super(db, memberships, { key: ['userId', 'groupId'] })
 *   }
 * }
 */
export class BaseRepository<TTable extends PgTable, TKey extends ColumnName<TTable> = KeyName<TTable>> {
  protected readonly db: Database
  protected readonly table: TTable
  /** What messages call a row; from the table's name (`authors` -> `Author`) unless a subclass says otherwise. */
  protected readonly entityName: string
  readonly #shape: TableShape
  readonly #version: ShapeColumn | null

  static {
    // Every method answers by a promise, which may be dropped. Here and not in each of them, so that none is forgotten.
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(BaseRepository.prototype))) {
      if (name === 'constructor' || typeof value !== 'function') continue
      Object.defineProperty(BaseRepository.prototype, name, {
        value(this: BaseRepository<PgTable>, ...given: unknown[]) {
          return sessionOf(this.db).dropSafe(Promise.resolve(Reflect.apply(value, this, given)), `repository.${name}`)
        },
      })
    }
  }

  constructor(db: Database, table: TTable, options: RepositoryOptions<TTable, TKey> = {}) {
    this.db = db
    this.table = table
    this.#shape = toTableShape(table)
    checkKey(this.#shape, options.key)
    this.#version = findVersion(this.#shape, options.version)
    this.entityName = this.#shape.entityName
  }

  /** Throws NotFoundError: `Author with ID 7 not found`. */
  async getById(id: IdOf<TTable, TKey>): Promise<RowOf<TTable>> {
    const [row] = await this.db.select().from(this.#shape.table).where(isId(this.#shape, id)).limit(1)
    return this.#found(row, id)
  }

  /**
   * The rows of these ids, in their order, by one query. An id without a row is left out; one that is given twice gives its
   * row twice, and so do two that PostgreSQL holds equal (`'1.5'` and `'1.50'` of a numeric, `'Ann'` and `'ann'` of a citext). Throws ValidationError for more than 65,000 (for a key of two columns half of that).
   */
  async getMany(ids: readonly IdOf<TTable, TKey>[]): Promise<RowOf<TTable>[]> {
    if (ids.length === 0) return []
    const { table, key } = this.#shape
    const { list, places } = toIdList(this.#shape, ids)
    // Key by key by the index of the primary key: for a join PostgreSQL may read the whole table.
    const one = this.db
      .select({ ...getTableColumns(table), '~place': list.place.as('~place') })
      .from(table)
      .where(list.fits(key))
      .limit(1)
      .as('~row')
    const found = await this.db.select().from(list.table).innerJoinLateral(one, sql`true`)
    const rows = new Map<number, RowOf<TTable>>()
    for (const {
      '~row': { '~place': place, ...row },
    } of found)
      rows.set(place, this.#row(row))
    const ordered: RowOf<TTable>[] = []
    for (const place of places) {
      const row = rows.get(place)
      if (row !== undefined) ordered.push(row)
    }
    return ordered
  }

  /** Rows that fit all `filters`, at most 1000 unless `limit` says otherwise, always in a total order. */
  async getAll(filters: Filters<TTable> = {}, options: ListOptions<TTable> = {}): Promise<RowOf<TTable>[]> {
    const { limit = defaultLimit, offset = 0, orderBy = {}, where } = options
    const rows = await this.db
      .select()
      .from(this.#shape.table)
      .where(toWhere(this.#shape, filters, where))
      .orderBy(...toOrderBy(toTerms(this.#shape, orderBy)))
      .limit(toCount('limit', limit))
      .offset(toCount('offset', offset))
    return rows.map((row) => this.#row(row))
  }

  /**
   * One page: the result of a handler as it is. By number it asks twice, for the total and for the rows. With a `cursor` it
   * goes on where the last page ended, however many rows lie before: rows that come and go meanwhile make a walk neither skip
   * nor repeat one that was there all the time.
   *
   * A size over the app's cap is the cap. Throws ValidationError for a page or a size below 1, and a cursor that is not of this query.
   *
   * @example
   * const first = await repository.getPage({ cursor: '', perPage: 50, orderBy: { born: 'desc' } })
   * const next = await repository.getPage({ cursor: first.meta.next_cursor ?? '', perPage: 50, orderBy: { born: 'desc' } })
   */
  async getPage(request: PageRequest<TTable>): Promise<Page<RowOf<TTable>>> {
    const { orderBy = {}, filters = {}, where } = request
    const query = { terms: toTerms(this.#shape, orderBy), where: toWhere(this.#shape, filters, where) }
    return request.cursor === undefined ? this.#pageByNumber(request, query) : this.#pageByCursor(request, query)
  }

  /**
   * The first row by primary key that fits all `filters`. Throws ValidationError when all of them are undefined: a value
   * that was forgotten finds nobody.
   */
  async findOne(
    filters: Filters<TTable>,
    options: Pick<ListOptions<TTable>, 'where'> = {},
  ): Promise<RowOf<TTable> | null> {
    const where = toOneWhere(this.#shape, filters, options.where)
    const [row] = await this.db
      .select()
      .from(this.#shape.table)
      .where(where)
      .orderBy(...toOrderBy(toTerms(this.#shape, {})))
      .limit(1)
    return row === undefined ? null : this.#row(row)
  }

  /** Is there such a row? Throws ValidationError when all filters are undefined; `{}` asks whether there is any row. */
  async exists(filters: Filters<TTable>, options: Pick<ListOptions<TTable>, 'where'> = {}): Promise<boolean> {
    const where = toOneWhere(this.#shape, filters, options.where)
    const rows = await this.db.select({ one: sql`1` }).from(this.#shape.table).where(where).limit(1)
    return rows.length > 0
  }

  /** How many rows fit all `filters`. */
  async count(filters: Filters<TTable> = {}, options: Pick<ListOptions<TTable>, 'where'> = {}): Promise<number> {
    return this.#count(toWhere(this.#shape, filters, options.where))
  }

  /** The row as the database has it, defaults included. */
  async create(values: InsertOf<TTable>): Promise<RowOf<TTable>> {
    const [row] = await this.db.insert(this.#shape.table).values(toStored(this.#shape, values)).returning()
    if (row === undefined) throw new Error(`The insert of one ${this.entityName} returned no row`)
    return this.#row(row)
  }

  /**
   * Many rows, in the order of `values`: all of them or none. As few statements as the number of parameters allows (65,000
   * values in each); more than one are a transaction, or a savepoint within one.
   */
  async createMany(values: readonly InsertOf<TTable>[]): Promise<RowOf<TTable>[]> {
    const rows = await insertAll(this.db, this.#shape, values)
    return rows.map((row) => this.#row(row))
  }

  /**
   * The row after the change. Undefined values change nothing. A patch without any value writes nothing: no UPDATE is sent,
   * and the row is read, so that the result is the same promise: the row, or NotFoundError.
   *
   * With a `version` that is no longer the row's: ConflictError.
   */
  async update(id: IdOf<TTable, TKey>, patch: PatchOf<TTable>, options: VersionOptions = {}): Promise<RowOf<TTable>> {
    const changes = toChanges(this.#shape, this.#version, patch)
    const where = this.#isVersion(id, options)
    const [row] =
      Object.keys(changes).length === 0
        ? await this.db.select().from(this.#shape.table).where(where).limit(1)
        : await this.db
            .update(this.#shape.table)
            .set({ ...toStored(this.#shape, changes), ...toNextVersion(this.#version) })
            .where(where)
            .returning()
    if (row === undefined) throw await this.#lost(id, options)
    return this.#row(row)
  }

  /**
   * Inserts, or changes the row that is there already: one statement, safe under concurrency. Answers with the row as it is
   * then. The columns of `on` need a unique index or constraint of exactly these; without one it is a DatabaseError.
   *
   * @example
   * await settings.upsert({ userId: 1, name: 'theme', value: 'dark' }, { on: ['userId', 'name'] })
   */
  async upsert(values: InsertOf<TTable>, options: UpsertOptions<TTable> = {}): Promise<RowOf<TTable>> {
    const target = options.on?.map((name) => this.#column(name)) ?? this.#shape.key
    const plan = { shape: this.#shape, version: this.#version, values, target, patch: options.patch }
    const row = await insertOrUpdate(this.db, plan)
    if (row === undefined) throw new Error(`The upsert of one ${this.entityName} returned no row`)
    return this.#row(row)
  }

  /** Throws NotFoundError when there was no such row, ConflictError when its version is another. */
  async delete(id: IdOf<TTable, TKey>, options: VersionOptions = {}): Promise<void> {
    const [row] = await this.db.delete(this.#shape.table).where(this.#isVersion(id, options)).returning({ one: sql`1` })
    if (row === undefined) throw await this.#lost(id, options)
  }

  /**
   * Deletes all rows that fit and says how many there were. Throws ValidationError without a condition, and for any value
   * that is undefined: what was forgotten must not delete more.
   */
  async deleteWhere(filters: Filters<TTable>): Promise<number> {
    return deleteCounting(this.db, this.#shape, toStrictWhere(this.#shape, filters))
  }

  /**
   * The rows with what belongs to them: one query for each name, however many rows. Names that come from a client are
   * restricted by the route's schema: `v.array(v.picklist(['books']))`. An unknown one is a ValidationError.
   *
   * @example
   * const relations = { books: hasMany(books, { from: authors.id, to: books.authorId }) }
   * const [author] = await repository.load(await repository.getAll({}, { limit: 1 }), relations, ['books'])
   * author?.books[0]?.title
   */
  async load<
    TRow extends RowOf<TTable>,
    TRelations extends Relations,
    const TNames extends readonly (keyof TRelations & string)[],
  >(rows: readonly TRow[], relations: TRelations, names: TNames): Promise<Loaded<TRow, TRelations, TNames>[]> {
    return loadRelations(this.db, this.#shape, rows, relations, names)
  }

  async #pageByNumber(request: PageRequest<TTable>, { terms, where }: Query): Promise<Page<RowOf<TTable>>> {
    const { page: number = 1 } = request
    const size = toSize(request, pageSettingsOf(this.db))
    const offset = toOffset(number, size)
    const counted = request.total ?? true
    const total = counted ? await this.#count(where) : 0
    if (counted && offset >= total) return page([], { page: number, per_page: size, total })
    const found = await this.db
      .select()
      .from(this.#shape.table)
      .where(where)
      .orderBy(...toOrderBy(terms))
      .limit(counted ? size : size + 1)
      .offset(offset)
    const rows = found.slice(0, size).map((row) => this.#row(row))
    if (counted) return page(rows, { page: number, per_page: size, total })
    return page(rows, { page: number, per_page: size, total: 0, has_more: found.length > size })
  }

  async #pageByCursor(request: PageRequest<TTable>, { terms, where }: Query): Promise<Page<RowOf<TTable>>> {
    const settings = pageSettingsOf(this.db)
    const size = toSize(request, settings)
    const scope: CursorScope = { shape: this.#shape, terms, where, secret: settings.cursorSecret }
    const { cursor = '' } = request
    const after = cursor === '' ? undefined : toKeyset(terms, fromCursor(scope, cursor))
    const total = request.total === true ? await this.#count(where) : 0
    const { rows, next } = await readWalk(this.db, scope, after, size)
    const next_cursor = next === null ? null : toCursor(scope, next)
    return page(
      rows.map((row) => this.#row(row)),
      { per_page: size, next_cursor, total, has_more: next !== null },
    )
  }

  async #count(where: SQL | undefined): Promise<number> {
    const [row] = await this.db.select({ total: count() }).from(this.#shape.table).where(where)
    return row?.total ?? 0
  }

  /** The row, if it still has the version that the caller has read. */
  #isVersion(id: IdOf<TTable, TKey>, { version }: VersionOptions): SQL | undefined {
    const where = isId(this.#shape, id)
    return version === undefined ? where : and(where, equals(this.#versionColumn(), version, 'version'))
  }

  /** Why there was no row to change. */
  async #lost(id: IdOf<TTable, TKey>, { version }: VersionOptions): Promise<NotFoundError | ConflictError> {
    if (version === undefined) return this.#notFound(id)
    const [current] = await this.db
      .select({ version: this.#versionColumn().column })
      .from(this.#shape.table)
      .where(isId(this.#shape, id))
      .limit(1)
    if (current === undefined) return this.#notFound(id)
    const name = `${this.entityName} with ID ${toIdText(this.#shape, id)}`
    return new ConflictError(`${name} was changed by somebody else`, { details: { version: current.version } })
  }

  #versionColumn(): ShapeColumn {
    if (this.#version !== null) return this.#version
    throw new TypeError(`The repository of '${this.#shape.name}' has no version: super(db, table, { version: … })`)
  }

  #column(name: string): ShapeColumn {
    const column = findColumn(this.#shape, name)
    if (column !== undefined) return column
    throw new ValidationError('Unknown column', [{ path: name, message: `${this.entityName} has no such column` }])
  }

  #found(row: Record<string, unknown> | undefined, id: IdOf<TTable, TKey>): RowOf<TTable> {
    if (row === undefined) throw this.#notFound(id)
    return this.#row(row)
  }

  #notFound(id: IdOf<TTable, TKey>): NotFoundError {
    return new NotFoundError(`${this.entityName} with ID ${toIdText(this.#shape, id)} not found`)
  }

  /** The queries above run on `shape.table`, which is `table`: drizzle's builders take no table that is still a type parameter. */
  #row(row: Record<string, unknown>): RowOf<TTable> {
    return row as RowOf<TTable>
  }
}

/** Which rows, and in which order. */
interface Query {
  readonly terms: readonly SortTerm[]
  readonly where: SQL | undefined
}

function toCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ValidationError(`Invalid ${name}`, [{ path: name, message: 'Must be a whole number that is not negative' }])
}
