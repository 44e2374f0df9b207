import type { PgTable } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { maxListLength, maxPatternLength, type Operator, operatorNames } from '../filters.ts'
import { type ColumnName, findColumn, type RowOf, type ShapeColumn, toTableShape } from '../table.ts'
import { isDerived, toColumnSchema } from './column-schema.ts'
import { type FlatEntries, rememberFlat } from './filters-from-query.ts'

type AnySchema = v.GenericSchema<unknown, unknown>
type ColumnOf<TTable extends PgTable, Name extends ColumnName<TTable>> = TTable['_']['columns'][Name]['_']

/** Columns that a schema can be derived for. */
type DerivedName<TTable extends PgTable> = {
  [Name in ColumnName<TTable>]: ColumnOf<TTable, Name>['dataType'] extends
    | 'string'
    | 'number'
    | 'bigint'
    | 'boolean'
    | 'date'
    ? Name
    : never
}[ColumnName<TTable>]

type OperatorOf<TTable extends PgTable, Name extends ColumnName<TTable>> = ColumnOf<TTable, Name>['columnType'] extends
  | 'PgText'
  | 'PgVarchar'
  | 'PgChar'
  ? Operator
  : Exclude<Operator, 'prefix' | 'contains'>

/** The columns that a client may filter by, each with the operators it may use; `true` for all of them. */
export type FilterSpec<TTable extends PgTable> = {
  readonly [Name in DerivedName<TTable>]?: true | readonly OperatorOf<TTable, Name>[]
}

type OperatorsOf<TTable extends PgTable, TSpec, Name extends keyof TSpec> = TSpec[Name] extends readonly Operator[]
  ? TSpec[Name][number]
  : Name extends ColumnName<TTable>
    ? OperatorOf<TTable, Name>
    : never

/** A value on the wire. */
type WireOf<T> = T extends Date ? string : T extends bigint ? string | number : T

type Operand<T, Op> = Op extends 'in'
  ? T[]
  : Op extends 'isNull'
    ? boolean
    : Op extends 'prefix' | 'contains'
      ? string
      : T

type ColumnFilter<T, TNull, Op extends Operator> =
  | ('eq' extends Op ? T | TNull : never)
  | { [Each in Op]?: Operand<T, Each> | (Each extends 'eq' | 'ne' ? TNull : never) | undefined }

type NullOf<T> = null extends T ? null : never

/** Filters that may be combined. An interface, so that comparing two recursive types terminates. */
export interface JoinedFilters<out TColumns> {
  and?: (TColumns & JoinedFilters<TColumns>)[] | undefined
  or?: (TColumns & JoinedFilters<TColumns>)[] | undefined
}

type Combined<TColumns, TCombine extends boolean> = TCombine extends true
  ? TColumns & JoinedFilters<TColumns>
  : TColumns

type ColumnsIn<TTable extends PgTable, TSpec> = {
  [Name in keyof TSpec & ColumnName<TTable>]?:
    | ColumnFilter<
        WireOf<NonNullable<RowOf<TTable>[Name]>>,
        NullOf<RowOf<TTable>[Name]>,
        OperatorsOf<TTable, TSpec, Name>
      >
    | undefined
}

type ColumnsOut<TTable extends PgTable, TSpec> = {
  [Name in keyof TSpec & ColumnName<TTable>]?:
    | ColumnFilter<NonNullable<RowOf<TTable>[Name]>, NullOf<RowOf<TTable>[Name]>, OperatorsOf<TTable, TSpec, Name>>
    | undefined
}

/** The input of a filter schema. */
export type FilterInput<TTable extends PgTable, TSpec, TCombine extends boolean = false> = Combined<
  ColumnsIn<TTable, TSpec>,
  TCombine
>

/** The output of a filter schema: `Filters` of a repository of the table. */
export type FilterOutput<TTable extends PgTable, TSpec, TCombine extends boolean = false> = Combined<
  ColumnsOut<TTable, TSpec>,
  TCombine
>

/** Refuses names that are not columns of the table. */
type NoOther<TSpec, TNames> = { readonly [Name in Exclude<keyof TSpec, TNames>]: never }

export interface FilterSchemaOptions<TCombine extends boolean = boolean> {
  /** Lets a client combine filters by `and` and `or`, at most 5 levels deep and 100 conditions in all. Default false. */
  readonly combine?: TCombine
}

/**
 * A valibot schema for the filters of a route, with the columns and operators of `spec`: all else is a validation_error. Its output are
 * filters of a repository. Dates are ISO 8601, bigints strings of digits.
 *
 * A bare value means `eq`, and is only accepted where `eq` is; `isNull` is for a query, which has no null. Columns of JSON, arrays and
 * custom types have no derived schema. An unknown column is a TypeError.
 *
 * @example
 * const AuthorFilters = filterSchema(authors, { id: true, name: ['eq', 'prefix'], born: ['gte', 'lt'] })
 * const input = v.strictObject({ ...pageInput(), filters: v.optional(AuthorFilters, {}) })
 * // { "filters": { "name": { "prefix": "ur" }, "born": { "gte": "1900-01-01T00:00:00Z" } } }
 */
export function filterSchema<
  TTable extends PgTable,
  const TSpec extends FilterSpec<TTable>,
  TCombine extends boolean = false,
>(
  table: TTable,
  spec: TSpec & NoOther<TSpec, DerivedName<TTable>>,
  options?: FilterSchemaOptions<TCombine>,
): v.GenericSchema<FilterInput<TTable, TSpec, TCombine>, FilterOutput<TTable, TSpec, TCombine>>
export function filterSchema(
  table: PgTable,
  spec: Readonly<Record<string, unknown>>,
  { combine = false }: FilterSchemaOptions = {},
): AnySchema {
  const shape = toTableShape(table)
  const entries: Record<string, AnySchema> = {}
  const flat: FlatEntries = {}
  for (const [name, allowed] of Object.entries(spec)) {
    const column = findColumn(shape, name)
    if (column === undefined || !isDerived(column)) {
      throw new TypeError(`filterSchema() has no schema for '${name}' of '${shape.name}': not a column of a basic type`)
    }
    const operators = toOperators(column, allowed, shape.name)
    entries[name] = v.optional(toEntry(operators))
    for (const [operator, schema] of operators) flat[operator === 'eq' ? name : `${name}.${operator}`] = schema
    const equal = operators.get('eq')
    if (equal !== undefined) flat[`${name}.eq`] = equal
  }
  if (combine) {
    const list = v.optional(v.pipe(v.array(v.lazy((): AnySchema => schema)), v.maxLength(100)))
    entries['and'] = list
    entries['or'] = list
  }
  const schema: AnySchema = v.strictObject(entries)
  rememberFlat(schema, flat)
  return schema
}

function toOperators(column: ShapeColumn, allowed: unknown, table: string): Map<Operator, AnySchema> {
  const possible = operatorNames.filter((name) => column.isText || (name !== 'prefix' && name !== 'contains'))
  const names: readonly unknown[] = Array.isArray(allowed) ? allowed : possible
  const value = toColumnSchema(column)
  const operators = new Map<Operator, AnySchema>()
  for (const name of possible) if (names.includes(name)) operators.set(name, toOperand(name, value, column.nullable))
  if (operators.size === names.length && names.length > 0) return operators
  throw new TypeError(
    `filterSchema(): operators of '${column.name}' of '${table}' must be some of ${possible.join(', ')}`,
  )
}

function toOperand(operator: Operator, value: AnySchema, nullable: boolean): AnySchema {
  switch (operator) {
    case 'in':
      return v.pipe(v.array(value), v.maxLength(maxListLength))
    case 'isNull':
      return v.boolean()
    case 'prefix':
    case 'contains':
      return v.pipe(
        v.string(),
        v.maxLength(maxPatternLength),
        v.check((text) => !text.includes('\0'), 'Must not contain the character U+0000'),
      )
    case 'eq':
    case 'ne':
      return nullable ? v.nullable(value) : value
    default:
      return value
  }
}

function toEntry(operators: ReadonlyMap<Operator, AnySchema>): AnySchema {
  const named = v.strictObject(Object.fromEntries([...operators].map(([name, schema]) => [name, v.optional(schema)])))
  const equal = operators.get('eq')
  const message = `Must be a value of the column, or an object of ${[...operators.keys()].join(', ')}`
  return equal === undefined ? named : v.union([equal, named], message)
}
