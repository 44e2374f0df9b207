import { randomUUID } from 'node:crypto'
import { type Page, page } from '../call/page.ts'
import { toOffset, toSize } from '../database/page.ts'
import { pageDefaults } from '../database/page-settings.ts'
import type { SortDirection } from '../database/sort-direction.ts'
import { ConflictError, NotFoundError, ValidationError } from '../errors/app-error.ts'
import { compareBy, hasFilter, isSame, matches } from './fake-rows.ts'

type Condition<T> =
  | T
  | null
  | {
      readonly eq?: T | null | undefined
      readonly ne?: T | null | undefined
      readonly in?: readonly T[] | undefined
      readonly isNull?: boolean | undefined
      readonly gt?: T | undefined
      readonly gte?: T | undefined
      readonly lt?: T | undefined
      readonly lte?: T | undefined
      readonly prefix?: string | undefined
      readonly contains?: string | undefined
    }
type Filters<Row> = { readonly [Name in keyof Row]?: Condition<NonNullable<Row[Name]>> | undefined } & {
  readonly and?: readonly Filters<Row>[] | undefined
  readonly or?: readonly Filters<Row>[] | undefined
}
type Patch<Row> = { readonly [Name in keyof Row]?: Row[Name] | undefined }
type OrderBy<Row> = { readonly [Name in keyof Row]?: SortDirection | undefined }

interface ListOptions<Row> {
  readonly limit?: number | undefined
  readonly offset?: number | undefined
  readonly orderBy?: OrderBy<Row> | undefined
}

interface PageRequest<Row> {
  readonly page?: number | undefined
  readonly perPage?: number | undefined
  readonly cursor?: string | undefined
  readonly total?: boolean | undefined
  readonly filters?: Filters<Row> | undefined
  readonly orderBy?: OrderBy<Row> | undefined
}

export interface FakeRepositoryOptions<Row, Key extends string> {
  /** The column of the primary key. Default `id`. */
  readonly key?: Key
  /** What messages call a row: `Author with ID 7 not found`. Default `Row`. */
  readonly name?: string
  /** Columns of which no two rows have the same value. */
  readonly unique?: readonly (keyof Row & string)[]
  /** What a new row has where `create` says nothing: defaults, and null for columns that may be. Called for each. */
  readonly defaults?: () => Patch<Row>
  /** The key of a new row without one. Default: one more than the largest, or a random UUID when the keys are texts. */
  readonly newKey?: () => Row[Key & keyof Row]
}

/** The public methods of a `BaseRepository`, without a database. */
export interface FakeRepository<Row, Key extends string = 'id'> {
  getById(id: Row[Key & keyof Row]): Promise<Row>
  getMany(ids: readonly Row[Key & keyof Row][]): Promise<Row[]>
  getAll(filters?: Filters<Row>, options?: ListOptions<Row>): Promise<Row[]>
  getPage(request: PageRequest<Row>): Promise<Page<Row>>
  findOne(filters: Filters<Row>): Promise<Row | null>
  exists(filters: Filters<Row>): Promise<boolean>
  count(filters?: Filters<Row>): Promise<number>
  create(values: Patch<Row>): Promise<Row>
  createMany(values: readonly Patch<Row>[]): Promise<Row[]>
  update(id: Row[Key & keyof Row], patch: Patch<Row>): Promise<Row>
  delete(id: Row[Key & keyof Row]): Promise<void>
  deleteWhere(filters: Filters<Row>): Promise<number>
}

/**
 * An in-memory stand-in for a `BaseRepository`, with its errors: NotFoundError, ConflictError for a key or a `unique` column that is taken,
 * ValidationError. Conditions in SQL (`where`), versions, `upsert` and `load` it does not know. Rows go in and come out as copies.
 *
 * @example
 * const authors = fakeRepository([{ id: 1, name: 'Ursula' }], { name: 'Author', unique: ['name'] })
 * await new RenameAuthorCommand(authors).execute({ id: 1, name: 'Octavia' })
 * expect(await authors.getById(1)).toEqual({ id: 1, name: 'Octavia' })
 */
export function fakeRepository<Row extends object, const Key extends string = 'id'>(
  initial: readonly Row[],
  options: FakeRepositoryOptions<Row, Key> = {},
): FakeRepository<Row, Key> {
  const { key = 'id', name = 'Row', unique = [], defaults = () => ({}), newKey } = options
  let rows: Row[] = []

  const idOf = (row: object): unknown => Reflect.get(row, key)
  const find = (id: unknown): Row => {
    const row = rows.find((each) => isSame(idOf(each), id))
    if (row === undefined) throw new NotFoundError(`${name} with ID ${String(id)} not found`)
    return row
  }
  const checkUnique = (row: Row, others: readonly Row[]): void => {
    for (const column of [key, ...unique]) {
      const value: unknown = Reflect.get(row, column)
      if (value === null || value === undefined) continue
      if (others.some((other) => isSame(Reflect.get(other, column), value)))
        throw new ConflictError('The same is already there', { details: { constraint: `${column}_unique` } })
    }
  }
  const nextKey = (): unknown => {
    if (newKey !== undefined) return newKey()
    const keys = rows.map(idOf)
    if (keys.some((each) => typeof each === 'string')) return randomUUID()
    return keys.reduce<number>((most, each) => (typeof each === 'number' ? Math.max(most, each) : most), 0) + 1
  }
  const add = (row: Row): Row => {
    checkUnique(row, rows)
    rows.push(row)
    return { ...row }
  }
  const addNew = (values: Patch<Row>): Row => {
    const row = { ...withoutUndefined(defaults()), ...withoutUndefined(values) }
    // The columns that a database would fill in are the test's to name, in `defaults`.
    return add({ [key]: nextKey(), ...row } as Row)
  }
  for (const row of initial) add({ ...row })

  const select = (
    filters: Filters<Row> = {},
    { limit = 1000, offset = 0, orderBy = {}, ...rest }: ListOptions<Row> = {},
  ) => {
    refuseSql(rest)
    const found = rows.filter((row) => matches(row, filters)).sort(compareBy(orderBy, key))
    return found.slice(toCount('offset', offset), offset + toCount('limit', limit)).map((row) => ({ ...row }))
  }
  const selectOne = (filters: Filters<Row>): Row | null => {
    if (!hasFilter(filters)) {
      const issues = Object.keys(filters).map((path) => ({ path, message: 'A value is needed' }))
      throw new ValidationError('A filter has no value', issues)
    }
    return select(filters, { limit: 1 })[0] ?? null
  }

  /** Of the walks under way: where each cursor's page ended, and which query it was of. */
  const cursors = new Map<string, { readonly last: Row; readonly query: string }>()
  const walk = ({ cursor = '', filters = {}, orderBy = {}, total }: PageRequest<Row>, size: number): Page<Row> => {
    const query = JSON.stringify([filters, orderBy], (_name, value) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    const start = cursors.get(cursor)
    if (cursor !== '' && start?.query !== query) {
      throw new ValidationError('Invalid cursor', [{ path: 'cursor', message: 'Not a cursor of this query' }])
    }
    const order = compareBy(orderBy, key)
    const all = select(filters, { limit: rows.length, orderBy })
    const left = start === undefined ? all : all.filter((row) => order(row, start.last) > 0)
    const last = left[size - 1]
    const next_cursor = last === undefined || left.length <= size ? null : randomUUID()
    if (last !== undefined && next_cursor !== null) cursors.set(next_cursor, { last: { ...last }, query })
    const meta = { per_page: size, next_cursor, total: total === true ? all.length : 0, has_more: next_cursor !== null }
    return page(left.slice(0, size), meta)
  }

  return {
    getById: async (id) => ({ ...find(id) }),
    getMany: async (ids) => ids.flatMap((id) => rows.filter((row) => isSame(idOf(row), id)).map((row) => ({ ...row }))),
    getAll: async (filters, list) => select(filters, list),
    async getPage(request) {
      const {
        page: number = 1,
        filters = {},
        orderBy,
        perPage: _perPage,
        cursor,
        total: counted = true,
        ...rest
      } = request
      refuseSql(rest)
      const size = toSize(request, pageDefaults)
      if (cursor !== undefined) return walk(request, size)
      const offset = toOffset(number, size)
      const total = rows.filter((row) => matches(row, filters)).length
      const items = select(filters, { limit: size, offset, orderBy })
      if (counted) return page(items, { page: number, per_page: size, total })
      return page(items, { page: number, per_page: size, total: 0, has_more: offset + size < total })
    },
    findOne: async (filters) => selectOne(filters),
    exists: async (filters) => selectOne(filters) !== null,
    count: async (filters = {}) => rows.filter((row) => matches(row, filters)).length,
    create: async (values) => addNew(values),
    async createMany(values) {
      const before = rows
      rows = [...rows]
      try {
        return values.map((each) => addNew(each))
      } catch (error) {
        rows = before
        throw error
      }
    },
    async update(id, patch) {
      const row = find(id)
      const changed = { ...row, ...withoutUndefined(patch) }
      const others = rows.filter((each) => each !== row)
      checkUnique(changed, others)
      rows = rows.map((each) => (each === row ? changed : each))
      return { ...changed }
    },
    async delete(id) {
      const row = find(id)
      rows = rows.filter((each) => each !== row)
    },
    async deleteWhere(filters) {
      const values: unknown[] = Object.values(filters)
      if (values.length === 0 || values.includes(undefined)) {
        throw new ValidationError('No filter: that would be every row', [])
      }
      const before = rows.length
      rows = rows.filter((row) => !matches(row, filters))
      return before - rows.length
    },
  }
}

function withoutUndefined(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function refuseSql(rest: object): void {
  if (Reflect.get(rest, 'where') !== undefined)
    throw new TypeError('A fake repository knows no `where` in SQL: test that query against a database')
}

function toCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ValidationError(`Invalid ${name}`, [{ path: name, message: 'Must be a whole number that is not negative' }])
}
