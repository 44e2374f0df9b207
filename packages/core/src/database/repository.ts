import { and, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { type Page, withItems } from '../call/reply.ts'
import { ConflictError, NotFoundError, ValidationError } from '../errors/app-error.ts'
import type { Database } from './database.ts'
import { sessionOf } from './drivers/drop-safe-session.ts'
import { equals, type Filters, toOneWhere, toStrictWhere, toWhere } from './filters.ts'
import { isId, readByIds, toIdText } from './identify.ts'
import { toOrderBy, toTerms } from './order.ts'
import { type PageRequest, toCount } from './page.ts'
import { countRows, readPage } from './read-page.ts'
import { type Loaded, loadRelations, type Relations } from './relations.ts'
import {
  checkKey,
  findVersion,
  type ListOptions,
  type RepositoryOptions,
  type UpsertOptions,
  type VersionOptions,
  type WhereOptions,
} from './repository-options.ts'
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
import { deleteCounting, insertAll, insertOrUpdate, toChanges, toNextVersion, toStored } from './writes.ts'

type Row = Record<string, unknown>

const defaultLimit = 1000

/**
 * Data access for one drizzle table with a primary key, typed by the table. Extend it with the queries of your domain: `this.db` and
 * `this.table` are drizzle's. Created with the `db` of a call, so that it takes part in the call's transaction.
 *
 * A value that a column cannot have (out of range, not a UUID, with U+0000) is a ValidationError, wherever it comes from. A table
 * without a primary key, and a key of several columns that is not named, are a TypeError on construction.
 *
 * @example
 * interface Authors extends TableOf<typeof authors> {}
 * class AuthorRepository extends BaseRepository<Authors> {
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
  /** Name of a row in messages; derived from the table's name (`authors` -> `Author`) unless a subclass overrides it. */
  protected readonly entityName: string
  readonly #shape: TableShape
  readonly #version: ShapeColumn | null

  static {
    // Every method returns a promise, which may be dropped. All methods are wrapped here, so that none is forgotten.
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
    if (row === undefined) throw this.#notFound(id)
    return this.#row(row)
  }

  /**
   * The rows of these IDs, in their order, by one query. IDs without a row are left out; a repeated ID repeats its row, and so do two IDs that
   * PostgreSQL holds equal (`'1.5'` and `'1.50'` of a numeric, `'Ann'` and `'ann'` of a citext). Throws ValidationError for more than 65,000
   * IDs (half of that for a key of two columns).
   */
  async getMany(ids: readonly IdOf<TTable, TKey>[]): Promise<RowOf<TTable>[]> {
    const rows = await readByIds(this.db, this.#shape, ids)
    return rows.map((row) => this.#row(row))
  }

  /** Rows that match all `filters`, at most 1000 unless `limit` says otherwise, always in a total order. */
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
   * One page: a handler can return it. By number it runs two queries, for the total and for the rows. With a `cursor` it continues after
   * the last page, whatever the number of rows before; rows that are added or deleted in the meantime make it neither skip nor repeat a row
   * that existed all the time.
   *
   * A size above the maximum of the app is reduced. Throws ValidationError for a page or a size below 1, and for a cursor of another query.
   *
   * @example
   * const first = await repository.getPage({ cursor: '', perPage: 50, orderBy: { born: 'desc' } })
   * const next = await repository.getPage({ cursor: first.meta.next_cursor ?? '', perPage: 50, orderBy: { born: 'desc' } })
   */
  async getPage(request: PageRequest<TTable>): Promise<Page<RowOf<TTable>>> {
    const { orderBy = {}, filters = {}, where } = request
    const terms = toTerms(this.#shape, orderBy)
    const query = { shape: this.#shape, terms, where: toWhere(this.#shape, filters, where) }
    const found = await readPage(this.db, query, request)
    const rows = found.items.map((row) => this.#row(row))
    return withItems(found, rows)
  }

  /**
   * The first row by primary key that matches all `filters`. Throws ValidationError when all of them are undefined: a forgotten value must not
   * find an arbitrary row.
   */
  async findOne(filters: Filters<TTable>, options: WhereOptions = {}): Promise<RowOf<TTable> | null> {
    const where = toOneWhere(this.#shape, filters, options.where)
    const [row] = await this.db
      .select()
      .from(this.#shape.table)
      .where(where)
      .orderBy(...toOrderBy(toTerms(this.#shape, {})))
      .limit(1)
    return row === undefined ? null : this.#row(row)
  }

  /** Does a row match? Throws ValidationError when all filters are undefined; `{}` matches any row. */
  async exists(filters: Filters<TTable>, options: WhereOptions = {}): Promise<boolean> {
    const where = toOneWhere(this.#shape, filters, options.where)
    const rows = await this.db.select({ one: sql`1` }).from(this.#shape.table).where(where).limit(1)
    return rows.length > 0
  }

  /** Number of rows that match all `filters`. */
  async count(filters: Filters<TTable> = {}, options: WhereOptions = {}): Promise<number> {
    return countRows(this.db, { shape: this.#shape, where: toWhere(this.#shape, filters, options.where) })
  }

  /** Inserts a row. Returns it as stored, with defaults. */
  async create(values: InsertOf<TTable>): Promise<RowOf<TTable>> {
    const [row] = await this.db.insert(this.#shape.table).values(toStored(this.#shape, values)).returning()
    if (row === undefined) throw new Error(`The insert of one ${this.entityName} returned no row`)
    return this.#row(row)
  }

  /**
   * Inserts rows, all or none. Returns them in the order of `values`. Uses as few statements as possible (65,000 values in each); several run
   * in a transaction, or in a savepoint inside one.
   */
  async createMany(values: readonly InsertOf<TTable>[]): Promise<RowOf<TTable>[]> {
    const rows = await insertAll(this.db, this.#shape, values)
    return rows.map((row) => this.#row(row))
  }

  /**
   * Changes a row. Returns it as stored. Undefined values change nothing. A patch without values sends no UPDATE, but reads the row, so that
   * the result is the same: the row, or NotFoundError.
   *
   * Throws ConflictError when the row no longer has the `version`.
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
    if (row === undefined) throw await this.#missing(id, options)
    return this.#row(row)
  }

  /**
   * Inserts a row, or changes the existing one: one statement, safe under concurrency. Returns the row as stored. The columns of `on` need a
   * unique index or constraint of exactly these columns; without one it is a DatabaseError.
   *
   * @example
   * await settings.upsert({ userId: 1, name: 'theme', value: 'dark' }, { on: ['userId', 'name'] })
   */
  async upsert(values: InsertOf<TTable>, options: UpsertOptions<TTable> = {}): Promise<RowOf<TTable>> {
    const { on, patch } = options
    const target = on?.map((name) => this.#column(name)) ?? this.#shape.key
    const row = await insertOrUpdate(this.db, { shape: this.#shape, version: this.#version, values, target, patch })
    if (row === undefined) throw new Error(`The upsert of one ${this.entityName} returned no row`)
    return this.#row(row)
  }

  /** Throws NotFoundError when there is no such row, ConflictError when it no longer has the `version`. */
  async delete(id: IdOf<TTable, TKey>, options: VersionOptions = {}): Promise<void> {
    const [row] = await this.db.delete(this.#shape.table).where(this.#isVersion(id, options)).returning({ one: sql`1` })
    if (row === undefined) throw await this.#missing(id, options)
  }

  /**
   * Deletes all rows that match, and returns their number. Throws ValidationError without a filter, and for any value that is undefined: a
   * forgotten value must not delete more.
   */
  async deleteWhere(filters: Filters<TTable>): Promise<number> {
    return deleteCounting(this.db, this.#shape, toStrictWhere(this.#shape, filters))
  }

  /**
   * The rows with related rows: one query for each name, whatever the number of rows. Restrict names of a client by the schema of the route:
   * `v.array(v.picklist(['books']))`. An unknown name is a ValidationError.
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

  /** The condition: the row with this ID, if it still has the version. */
  #isVersion(id: unknown, { version }: VersionOptions): SQL | undefined {
    const where = isId(this.#shape, id)
    return version === undefined ? where : and(where, equals(this.#versionColumn(), version, 'version'))
  }

  /** Why there was no row to change. */
  async #missing(id: unknown, { version }: VersionOptions): Promise<NotFoundError | ConflictError> {
    if (version === undefined) return this.#notFound(id)
    const [current] = await this.db
      .select({ version: this.#versionColumn().column })
      .from(this.#shape.table)
      .where(isId(this.#shape, id))
      .limit(1)
    if (current === undefined) return this.#notFound(id)
    const name = `${this.entityName} with ID ${toIdText(this.#shape, id)}`
    return new ConflictError(`${name} was changed in the meantime`, { details: { version: current.version } })
  }

  #versionColumn(): ShapeColumn {
    if (this.#version !== null) return this.#version
    throw new TypeError(`The repository of '${this.#shape.name}' has no version: super(db, table, { version: … })`)
  }

  #column(name: string): ShapeColumn {
    const column = findColumn(this.#shape, name)
    if (column !== undefined) return column
    throw new ValidationError('Unknown column', [{ path: name, message: `Not a column of ${this.entityName}` }])
  }

  #notFound(id: unknown): NotFoundError {
    return new NotFoundError(`${this.entityName} with ID ${toIdText(this.#shape, id)} not found`)
  }

  /** The queries run on `shape.table`: drizzle's builders do not accept a table that is a type parameter. */
  #row(row: Row): RowOf<TTable> {
    return row as RowOf<TTable>
  }
}
