import * as v from 'valibot'
import { toDate } from '../../route/numerals.ts'
import type { ShapeColumn } from '../table.ts'

type AnySchema = v.GenericSchema<unknown, unknown>

/** Data types that `filterSchema` derives a schema for; custom types are not. */
const derived = new Set(['string', 'number', 'bigint', 'boolean', 'date'])

export function isDerived({ comparison, column }: ShapeColumn): boolean {
  return comparison === 'scalar' && derived.has(column.dataType)
}

/** The schema of a value of a column on the wire: dates are ISO 8601, bigints are strings of digits or integers. */
export function toColumnSchema(column: ShapeColumn): AnySchema {
  const { enumValues, dataType } = column.column
  if (enumValues !== undefined && enumValues.length > 0) return v.picklist(enumValues)
  switch (dataType) {
    case 'number':
      return v.pipe(v.number(), rule(column))
    case 'boolean':
      return v.boolean()
    case 'bigint':
      return v.pipe(
        v.union([v.string(), v.number()]),
        v.check(isInteger, 'Must be an integer'),
        v.transform((value: string | number) => BigInt(value)),
        rule(column),
      )
    case 'date':
      return v.pipe(
        v.string(),
        v.rawTransform(({ dataset, addIssue, NEVER }) => {
          const date = toDate(dataset.value)
          if (date !== undefined) return date
          addIssue({ message: 'Must be an ISO 8601 date' })
          return NEVER
        }),
      )
    default:
      return v.pipe(v.string(), rule(column))
  }
}

/** The column's check, so that the database refuses no value that passes. */
function rule<T>(column: ShapeColumn): v.CheckAction<T, (issue: v.CheckIssue<T>) => string> {
  return v.check<T, (issue: v.CheckIssue<T>) => string>(
    (value) => column.check(value) === null,
    ({ input }) => column.check(input) ?? 'Not a valid value of this column',
  )
}

function isInteger(value: string | number): boolean {
  return typeof value === 'number' ? Number.isSafeInteger(value) : /^-?\d{1,20}$/.test(value)
}
