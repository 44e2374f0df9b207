import { and, eq, gt, gte, ilike, inArray, isNotNull, isNull, lt, lte, or, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import { type ColumnName, findColumn, type RowOf, type ShapeColumn, type TableShape } from './table.ts'

/** Columns that can be searched for a string. */
type TextColumnType = 'PgText' | 'PgVarchar' | 'PgChar'
/** Data types whose values have an order. */
type ScalarDataType = 'string' | 'number' | 'bigint' | 'boolean' | 'date' | 'custom'

interface Equality<T> {
  readonly eq?: T | null | undefined
  /** All other rows, also rows without a value: `is distinct from`. */
  readonly ne?: T | null | undefined
  /** At most 1000 values, and 10,000 in all lists of one filter. An empty list matches no row. */
  readonly in?: readonly T[] | undefined
  /** True: has no value. False: has one. */
  readonly isNull?: boolean | undefined
}

interface Range<T> {
  readonly gt?: T | undefined
  readonly gte?: T | undefined
  readonly lt?: T | undefined
  readonly lte?: T | undefined
}

interface Pattern {
  /** Starts with this text, ignoring case; `%` and `_` are literal. At most 256 characters. */
  readonly prefix?: string | undefined
  /** Contains this text, too. Only a trigram index (pg_trgm) can speed it up. */
  readonly contains?: string | undefined
}

/** The filter of one column: a value, null, or operators, all of which must match. */
export type FilterOf<TTable extends PgTable, TName extends ColumnName<TTable>> = FilterFor<
  NonNullable<RowOf<TTable>[TName]>,
  TTable['_']['columns'][TName]['_']['dataType'],
  TTable['_']['columns'][TName]['_']['columnType']
>

type FilterFor<T, TData, TType> =
  | T
  | null
  | (TData extends ScalarDataType
      ? TType extends TextColumnType
        ? Equality<T> & Range<T> & Pattern
        : Equality<T> & Range<T>
      : never)

/**
 * Conditions by column, all of which must match. The same language for repositories and, by `filterSchema`, for the inputs of routes.
 *
 * - a value: equal to it; `null`: without a value; undefined: skipped;
 * - `{ eq, ne, in, isNull, gt, gte, lt, lte }`, and for text columns `{ prefix, contains }`, which ignore case;
 * - `and`, `or`: lists of such conditions, at most 5 levels deep and 100 in all. A column that the table's object calls `and` or `or` cannot
 *   be filtered by.
 *
 * Columns of JSON and arrays can be equal to a value, or null. An unknown column, and a value that the column cannot have, are type errors,
 * and a ValidationError at run time: neither ever gets into SQL.
 *
 * @example
 * const filters: Filters<typeof authors> = {
 *   country: 'FR',
 *   born: { gte: new Date('1900-01-01'), lt: new Date('2000-01-01') },
 *   or: [{ name: { prefix: 'a' } }, { id: { in: [1, 2, 3] } }],
 * }
 */
export type Filters<TTable extends PgTable> = {
  readonly [Name in ColumnName<TTable>]?: FilterOf<TTable, Name> | undefined
} & {
  readonly and?: readonly Filters<TTable>[] | undefined
  readonly or?: readonly Filters<TTable>[] | undefined
}

/** Operators of a column, beside the bare value. */
export type Operator = 'eq' | 'ne' | 'in' | 'isNull' | 'gt' | 'gte' | 'lt' | 'lte' | 'prefix' | 'contains'

export const operatorNames: readonly Operator[] = [
  'eq',
  'ne',
  'in',
  'isNull',
  'gt',
  'gte',
  'lt',
  'lte',
  'prefix',
  'contains',
]

export const maxPatternLength = 256
export const maxListLength = 1000
const maxDepth = 5
const maxConditions = 100
/** In all lists together: a statement has at most 65,534 parameters, and other parts of it need some. */
const maxValues = 10_000

interface Reading {
  readonly shape: TableShape
  /** Refuse a value that is undefined, instead of ignoring it. */
  readonly strict: boolean
  conditions: number
  values: number
}

/** Filters and a condition of drizzle, as one condition; undefined when there is none. */
export function toWhere(shape: TableShape, filters: object, where?: SQL): SQL | undefined {
  return and(read({ shape, strict: false, conditions: 0, values: 0 }, filters, '', 0), where)
}

/**
 * `toWhere` for queries of one row: `{ token: undefined }` must not find an arbitrary row. Throws a ValidationError when there are filters and
 * none has a value.
 */
export function toOneWhere(shape: TableShape, filters: object, where?: SQL): SQL | undefined {
  const found = toWhere(shape, filters, where)
  const names = Object.keys(filters)
  if (found === undefined && names.length > 0) throw noValue(names)
  return found
}

/** For deletions: requires a condition, and no value may be undefined. */
export function toStrictWhere(shape: TableShape, filters: object): SQL {
  const found = read({ shape, strict: true, conditions: 0, values: 0 }, filters, '', 0)
  if (found === undefined)
    throw new ValidationError('At least one filter is required: without one, all rows would be deleted', [])
  return found
}

function read(reading: Reading, filters: unknown, path: string, depth: number): SQL | undefined {
  if (!isPlain(filters)) throw invalid(path, 'Must be an object of filters')
  if (depth > maxDepth) throw invalid(path, `Must be nested at most ${maxDepth} levels deep`)
  const conditions: SQL[] = []
  // Sorted, so that equal filters are one statement, and their cursors are valid whatever the order of the keys.
  for (const name of Object.keys(filters).sort()) {
    const value = filters[name]
    const at = join(path, name)
    if (value === undefined) {
      if (reading.strict) throw noValue([at])
      // Checked all the same: a misspelled name is an error with and without a value.
      if (name !== 'and' && name !== 'or') columnOf(reading, name, at)
    } else if (name === 'and' || name === 'or') {
      const nested = readList(reading, name, value, at, depth)
      if (nested !== undefined) conditions.push(nested)
    } else {
      conditions.push(...readColumn(reading, columnOf(reading, name, at), value, at))
    }
  }
  return and(...conditions)
}

function readList(reading: Reading, name: 'and' | 'or', value: unknown, path: string, depth: number): SQL | undefined {
  if (!Array.isArray(value)) throw invalid(path, 'Must be a list of filters')
  // Empty entries have no condition, but cost time: count them too.
  spend(reading, value.length, path)
  const parts = value.map((each, index) => {
    const part = read(reading, each, `${path}[${index}]`, depth + 1)
    // As an alternative it would match every row.
    if (part === undefined && name === 'or') throw invalid(`${path}[${index}]`, 'Must have a condition')
    return part
  })
  if (name === 'and') return and(...parts)
  return parts.length === 0 ? sql`false` : or(...parts)
}

function readColumn(reading: Reading, column: ShapeColumn, value: unknown, path: string): SQL[] {
  if (column.comparison !== 'scalar' || !isPlain(value)) {
    spend(reading, 1, path)
    return [equals(column, value, path)]
  }
  const conditions: SQL[] = []
  for (const name of Object.keys(value).sort()) {
    const operand = value[name]
    const at = join(path, name)
    if (!isOperator(name)) throw invalid(at, `Unknown operator: use ${operatorNames.join(', ')}`)
    if (operand === undefined) {
      if (reading.strict) throw noValue([at])
      continue
    }
    spend(reading, 1, at)
    if (Array.isArray(operand)) spendValues(reading, operand.length, at)
    conditions.push(operators[name](column, operand, at))
  }
  return conditions
}

type ToCondition = (column: ShapeColumn, value: unknown, path: string) => SQL

/** Throws a ValidationError for a value that the column cannot have. */
function checked(column: ShapeColumn, value: unknown, path: string): unknown {
  const message = value === null || value === undefined ? 'Value is required' : column.check(value)
  if (message !== null) throw invalid(path, message)
  return value
}

const toParam: ToCondition = (column, value, path) => {
  const given = checked(column, value, path)
  // drizzle inspects the value of a parameter, and fails on an object without a prototype: it receives the driver's text instead.
  if (column.toStored !== null) return sql`${sql.param(column.toStored(given))}`
  if (column.comparison === 'equal') return sql`${sql.param(column.column.mapToDriverValue(given))}`
  return sql`${sql.param(given, column.column)}`
}

export const equals: ToCondition = (column, value, path) =>
  value === null ? isNull(column.column) : eq(column.column, toParam(column, value, path))

const compare =
  (by: typeof gt): ToCondition =>
  (column, value, path) =>
    by(column.column, toParam(column, value, path))

const matches =
  (before: string): ToCondition =>
  (column, value, path) => {
    if (!column.isText) throw invalid(path, 'Only text columns can be searched')
    if (typeof value !== 'string' || value.includes('\0')) throw invalid(path, 'Must be a string')
    if (value.length > maxPatternLength) throw invalid(path, `Must have at most ${maxPatternLength} characters`)
    const pattern = `${before}${value.replace(/[\\%_]/g, '\\$&')}%`
    // An explicit escape, because a server may be configured to read a backslash in another way.
    return sql`${ilike(column.column, pattern)} escape ${sql.raw(String.raw`E'\\'`)}`
  }

const operators: Readonly<Record<Operator, ToCondition>> = {
  eq: equals,
  ne: (column, value, path) =>
    value === null ? isNotNull(column.column) : sql`${column.column} is distinct from ${toParam(column, value, path)}`,
  in: (column, value, path) => {
    if (!Array.isArray(value)) throw invalid(path, 'Must be a list of values')
    if (value.length > maxListLength) throw invalid(path, `Must have at most ${maxListLength} values`)
    return inArray(
      column.column,
      value.map((each, index) => toParam(column, each, `${path}[${index}]`)),
    )
  },
  isNull: (column, value, path) => {
    if (typeof value !== 'boolean') throw invalid(path, 'Must be true or false')
    return value ? isNull(column.column) : isNotNull(column.column)
  },
  gt: compare(gt),
  gte: compare(gte),
  lt: compare(lt),
  lte: compare(lte),
  prefix: matches(''),
  contains: matches('%'),
}

function isOperator(name: string): name is Operator {
  return Object.hasOwn(operators, name)
}

function spend(reading: Reading, count: number, path: string): void {
  reading.conditions += count
  if (reading.conditions > maxConditions) throw invalid(path, `Must have at most ${maxConditions} conditions`)
}

function spendValues(reading: Reading, count: number, path: string): void {
  reading.values += count
  if (reading.values > maxValues) throw invalid(path, `All lists together must have at most ${maxValues} values`)
}

function columnOf({ shape }: Reading, name: string, path: string): ShapeColumn {
  const column = findColumn(shape, name)
  if (column === undefined) {
    throw new ValidationError('Unknown column', [{ path, message: `Not a column of ${shape.entityName}` }])
  }
  return column
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function noValue(names: readonly string[]): ValidationError {
  return new ValidationError(
    'A filter has no value',
    names.map((path) => ({ path, message: 'Value is required' })),
  )
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError('Invalid filter', [{ path, message }])
}
