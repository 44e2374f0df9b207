import { and, eq, gt, gte, ilike, inArray, isNotNull, isNull, lt, lte, or, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import { type ColumnName, findColumn, type RowOf, type ShapeColumn, type TableShape } from './table.ts'

/** The columns in which a text may be looked for. */
type TextColumnType = 'PgText' | 'PgVarchar' | 'PgChar'
/** Kinds of data whose values have an order. */
type ScalarDataType = 'string' | 'number' | 'bigint' | 'boolean' | 'date' | 'custom'

interface Equality<T> {
  readonly eq?: T | null | undefined
  /** All others, rows without a value too: `is distinct from`. */
  readonly ne?: T | null | undefined
  /** At most 1000, and 10,000 in all lists of one filter. An empty list finds nothing. */
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
  /** Starts with this text, in upper or lower case; `%` and `_` mean themselves. At most 256 characters. */
  readonly prefix?: string | undefined
  /** Has this text in it, likewise. No index but one of trigrams (pg_trgm) serves it. */
  readonly contains?: string | undefined
}

/** What `Filters` admits for one column: a value, null, or operators, all of which have to hold. */
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
 * Which rows: conditions by column, all of which have to hold. The same language for repositories and, by `filterSchema`,
 * for the inputs of routes.
 *
 * - a value: equal to it; `null`: without a value; undefined: skipped;
 * - `{ eq, ne, in, isNull, gt, gte, lt, lte }`, and for texts `{ prefix, contains }`, which know no upper and lower case;
 * - `and`, `or`: lists of such conditions, at most 5 deep and 100 in all. A table whose object calls a column so cannot be
 *   filtered by that one.
 *
 * Columns of JSON and arrays can be equal to a value, or null. A name that is no column and a value that the column cannot
 * take are a type error, and a ValidationError when it comes to run: neither ever gets into SQL.
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

/** What may be asked of a column, beside the bare value. */
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
/** In all lists together: far from what one statement can carry (65,534), with room for what else is in it. */
const maxValues = 10_000

interface Reading {
  readonly shape: TableShape
  /** Refuse a value that is undefined, instead of looking past it. */
  readonly strict: boolean
  conditions: number
  values: number
}

/** Both of a repository's ways to choose rows, as one condition; undefined when there is none. */
export function toWhere(shape: TableShape, filters: object, where?: SQL): SQL | undefined {
  return and(read({ shape, strict: false, conditions: 0, values: 0 }, filters, '', 0), where)
}

/**
 * As `toWhere`, for questions about one row: `{ token: undefined }` must not find the first row that comes. Throws a
 * ValidationError when filters are named and none has a value.
 */
export function toOneWhere(shape: TableShape, filters: object, where?: SQL): SQL | undefined {
  const found = toWhere(shape, filters, where)
  const names = Object.keys(filters)
  if (found === undefined && names.length > 0) throw noValue(names)
  return found
}

/** For what cannot be undone: there has to be a condition, and no value may be missing. */
export function toStrictWhere(shape: TableShape, filters: object): SQL {
  const found = read({ shape, strict: true, conditions: 0, values: 0 }, filters, '', 0)
  if (found === undefined) throw new ValidationError('No filter: that would be every row', [])
  return found
}

function read(reading: Reading, filters: unknown, path: string, depth: number): SQL | undefined {
  if (!isPlain(filters)) throw invalid(path, 'Must be an object of conditions')
  if (depth > maxDepth) throw invalid(path, `At most ${maxDepth} deep`)
  const conditions: SQL[] = []
  // In one order whatever the caller's, so that one question is one statement, and its cursors fit.
  for (const name of Object.keys(filters).sort()) {
    const value = filters[name]
    const at = join(path, name)
    if (value === undefined) {
      if (reading.strict) throw noValue([at])
      // Told all the same: a misspelt name is a mistake with and without a value.
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
  if (!Array.isArray(value)) throw invalid(path, 'Must be a list of conditions')
  // What is empty costs depth and no condition: count it too.
  spend(reading, value.length, path)
  const parts = value.map((each, index) => {
    const part = read(reading, each, `${path}[${index}]`, depth + 1)
    // As an alternative it would be every row.
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
    if (!isOperator(name)) throw invalid(at, `No such operator: there is ${operatorNames.join(', ')}`)
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

/** A value as the condition has it; throws a ValidationError for one that the column cannot take. */
function checked(column: ShapeColumn, value: unknown, path: string): unknown {
  const message = value === null || value === undefined ? 'A value is needed' : column.check(value)
  if (message !== null) throw invalid(path, message)
  return value
}

const toParam: ToCondition = (column, value, path) => {
  const given = checked(column, value, path)
  // drizzle looks into a parameter's value, and cannot into an object without a prototype: it gets the driver's text of it.
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
    if (!column.isText) throw invalid(path, 'Only texts can be looked into')
    if (typeof value !== 'string' || value.includes('\0')) throw invalid(path, 'Must be a text')
    if (value.length > maxPatternLength) throw invalid(path, `At most ${maxPatternLength} characters`)
    const pattern = `${before}${value.replace(/[\\%_]/g, '\\$&')}%`
    // The escape is said, since a server may be set to another way to read a backslash.
    return sql`${ilike(column.column, pattern)} escape ${sql.raw(String.raw`E'\\'`)}`
  }

const operators: Readonly<Record<Operator, ToCondition>> = {
  eq: equals,
  ne: (column, value, path) =>
    value === null ? isNotNull(column.column) : sql`${column.column} is distinct from ${toParam(column, value, path)}`,
  in: (column, value, path) => {
    if (!Array.isArray(value)) throw invalid(path, 'Must be a list of values')
    if (value.length > maxListLength) throw invalid(path, `At most ${maxListLength} values`)
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
  if (reading.conditions > maxConditions) throw invalid(path, `At most ${maxConditions} conditions`)
}

function spendValues(reading: Reading, count: number, path: string): void {
  reading.values += count
  if (reading.values > maxValues) throw invalid(path, `At most ${maxValues} values in all lists together`)
}

function columnOf({ shape }: Reading, name: string, path: string): ShapeColumn {
  const column = findColumn(shape, name)
  if (column === undefined) {
    throw new ValidationError('Unknown column', [{ path, message: `${shape.entityName} has no such column` }])
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
    names.map((path) => ({ path, message: 'A value is needed' })),
  )
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError('Invalid filter', [{ path, message }])
}
