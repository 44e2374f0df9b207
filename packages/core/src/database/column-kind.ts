import { is, type SQL, sql } from 'drizzle-orm'
import { PgArray, type PgColumn, PgEnumColumn, PgEnumObjectColumn } from 'drizzle-orm/pg-core'
import { isWellFormed } from '../base/well-formed.ts'
import { elementOf } from './values/column-readers.ts'
import { columnWriter } from './values/column-writers.ts'
import { isStorable } from './values/time-text.ts'

/**
 * How values of a column can be compared. `scalar`: they have an order. `equal`: only for equality (jsonb, arrays). `opaque`: PostgreSQL has
 * no `=` for them (json, point), only "is null" is possible.
 */
export type Comparison = 'scalar' | 'equal' | 'opaque'

/** The values of a column. */
export interface ColumnKind {
  readonly comparison: Comparison
  /** Can it be searched for a string? */
  readonly isText: boolean
  /** What is wrong with a value that is not null; null for a valid one. */
  check(value: unknown): string | null
  /** What is wrong with a value, not null, to be stored, where PostgreSQL would not name the column, or would store another value. */
  checkStored(value: unknown): string | null
  /** PostgreSQL's text of a value; null where drizzle's is right. */
  readonly toStored: ((value: unknown) => string) | null
  /** Can this text of a cursor be a value? Where the check is coarse, the database refuses the rest (class 22). */
  admits(text: string): boolean
  /**
   * The database's text of a value of a row. Null where the value in JavaScript may have lost something (microseconds, digits): there the
   * text has to be selected.
   */
  readonly toText: ((value: unknown) => string) | null
  /** The type, as `cast(… as type)` needs it. */
  readonly type: SQL
}

type Traits = Omit<ColumnKind, 'type' | 'checkStored' | 'toStored'>

/** Called once for each table, see `toTableShape`. */
export function toColumnKind(column: PgColumn): ColumnKind {
  const traits = Object.hasOwn(byColumnType, column.columnType) ? byColumnType[column.columnType] : undefined
  const { enumValues } = column
  const found = traits ?? byDataType(column)
  const kind = enumValues !== undefined && enumValues.length > 0 ? oneOf(enumValues, found) : found
  return { ...kind, checkStored: storedCheck(column), toStored: columnWriter(column), type: toType(column) }
}

const scalar = { comparison: 'scalar', isText: false, toText: null } as const
const integerText = /^-?\d{1,20}$/
const decimal = /^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i
const notANumber = /^(NaN|-?Infinity)$/
const uuidPattern = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

function integer(bits: number): Traits {
  const [min, max] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
  const message = `Must be an integer from ${min} to ${max}`
  const isOne = (value: unknown): boolean =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
  return {
    ...scalar,
    check: (value) => (isOne(value) ? null : message),
    admits: (text) => integerText.test(text) && isOne(Number(text)),
    toText: String,
  }
}

const isBigint = (value: bigint): boolean => BigInt.asIntN(64, value) === value
const isBigintText = (text: string): boolean => integerText.test(text) && isBigint(BigInt(text))

/** `mode: 'number'`: numbers above 2^53 are not exact, so a cursor uses the database's text. */
const bigintAsNumber: Traits = {
  ...scalar,
  check: (value) => (Number.isSafeInteger(value) ? null : 'Must be an integer from -(2^53 - 1) to 2^53 - 1'),
  admits: isBigintText,
}
const bigint: Traits = {
  ...scalar,
  check: (value) => (typeof value === 'bigint' && isBigint(value) ? null : 'Must be an integer from -2^63 to 2^63 - 1'),
  admits: isBigintText,
  toText: String,
}
const numeric: Traits = {
  ...scalar,
  check: (value) =>
    typeof value === 'string' && (decimal.test(value) || value === 'NaN')
      ? null
      : 'Must be a decimal number, as a string',
  admits: (text) => decimal.test(text) || notANumber.test(text),
  toText: String,
}
const finite: Traits = {
  ...scalar,
  check: (value) => (Number.isFinite(value) ? null : 'Must be a number'),
  admits: (text) => decimal.test(text) || notANumber.test(text),
}
/** PostgreSQL has NaN and the infinities, and NaN equals itself there. */
const float: Traits = { ...finite, check: (value) => (typeof value === 'number' ? null : 'Must be a number') }
const numericAsBigint: Traits = {
  ...scalar,
  check: (value) => (typeof value === 'bigint' ? null : 'Must be an integer'),
  admits: numeric.admits,
}
const hasNoNul = (text: string): boolean => !text.includes('\0')
const text: Traits = {
  ...scalar,
  isText: true,
  check: (value) =>
    typeof value !== 'string' ? 'Must be a string' : hasNoNul(value) ? null : 'Must not contain the character U+0000',
  admits: hasNoNul,
  toText: String,
}
/** Dates and times as strings, addresses, intervals: the database parses them. */
const written: Traits = { ...text, isText: false, toText: null }
const uuid: Traits = {
  ...scalar,
  check: (value) => (typeof value === 'string' && uuidPattern.test(value) ? null : 'Must be a UUID'),
  admits: (value) => uuidPattern.test(value),
  toText: String,
}
const boolean: Traits = {
  ...scalar,
  check: (value) => (typeof value === 'boolean' ? null : 'Must be true or false'),
  admits: (value) => value === 'true' || value === 'false',
  toText: String,
}
const date: Traits = {
  ...scalar,
  check: (value) => (value instanceof Date && !Number.isNaN(value.getTime()) ? null : 'Must be a date'),
  admits: hasNoNul,
}
const opaque: Traits = {
  ...scalar,
  comparison: 'opaque',
  check: () => 'Can only be compared with null',
  admits: () => false,
}

const byColumnType: Readonly<Record<string, Traits>> = {
  PgSmallInt: integer(16),
  PgSmallSerial: integer(16),
  PgInteger: integer(32),
  PgSerial: integer(32),
  PgBigInt53: bigintAsNumber,
  PgBigSerial53: bigintAsNumber,
  PgBigInt64: bigint,
  PgBigSerial64: bigint,
  PgNumeric: numeric,
  PgReal: float,
  PgDoublePrecision: float,
  PgNumericNumber: { ...float, admits: numeric.admits },
  PgNumericBigInt: numericAsBigint,
  PgText: text,
  PgVarchar: text,
  PgChar: text,
  PgUUID: uuid,
  PgJson: opaque,
}

function byDataType(column: PgColumn): Traits {
  switch (column.dataType) {
    case 'number':
      return finite
    case 'bigint':
      return bigint
    case 'boolean':
      return boolean
    case 'date':
      return date
    case 'string':
      return written
    case 'custom':
      return { ...scalar, check: mapped(column), admits: hasNoNul }
    case 'json':
    case 'array':
      return isEquatable(column) ? { ...opaque, comparison: 'equal', check: mapped(column) } : opaque
    default:
      return opaque
  }
}

/** PostgreSQL compares arrays by their elements, and has no `=` for `json` and `point`. */
function isEquatable(column: PgColumn): boolean {
  if (!is(column, PgArray)) return column.columnType === 'PgJsonb'
  const { baseColumn }: { readonly baseColumn: PgColumn } = column
  return toColumnKind(baseColumn).comparison !== 'opaque' || isEquatable(baseColumn)
}

/** For custom types and arrays, which only the column can read. Its encoder may throw for a value of another type. */
function mapped(column: PgColumn): Traits['check'] {
  const write = columnWriter(column)
  return (value) => {
    try {
      void (write === null ? column.mapToDriverValue(value) : write(value))
      return null
    } catch {
      return 'Not a valid value of this column'
    }
  }
}

function storedCheck(column: PgColumn): ColumnKind['checkStored'] {
  const element = elementOf(column) ?? column
  const check = element.dataType === 'date' ? checkTime : element.dataType === 'string' ? checkText : () => null
  if (element === column) return check
  const checkAll = (value: unknown): string | null => {
    if (!Array.isArray(value)) return value === null ? null : check(value)
    for (const each of value) {
      const message = checkAll(each)
      if (message !== null) return message
    }
    return null
  }
  return checkAll
}

/** Anything but a Date is SQL, or is refused by drizzle. */
function checkTime(value: unknown): string | null {
  if (!(value instanceof Date)) return null
  if (Number.isNaN(value.getTime())) return 'Must be a date'
  return isStorable(value) ? null : 'Must not be before the year 4713 BC'
}

function checkText(value: unknown): string | null {
  if (typeof value !== 'string') return null
  if (!hasNoNul(value)) return 'Must not contain the character U+0000'
  return isWellFormed(value) ? null : 'Must not contain a lone surrogate'
}

function oneOf(values: readonly string[], base: Traits): Traits {
  const known = new Set<unknown>(values)
  const message = `Must be one of ${values.join(', ')}`
  return {
    ...base,
    check: (value) => (known.has(value) ? null : message),
    // A row may have a string that is no longer, or not yet, in the list; an enum is checked by the database.
    admits: hasNoNul,
    toText: String,
  }
}

const serials: Readonly<Record<string, string>> = { smallserial: 'smallint', serial: 'integer', bigserial: 'bigint' }

function toType(column: PgColumn): SQL {
  if (is(column, PgEnumColumn) || is(column, PgEnumObjectColumn)) {
    const { enumName, schema } = column.enum
    const name = sql.identifier(enumName)
    return schema === undefined ? sql`${name}` : sql`${sql.identifier(schema)}.${name}`
  }
  const type = column.getSQLType()
  return sql.raw(serials[type] ?? type)
}
