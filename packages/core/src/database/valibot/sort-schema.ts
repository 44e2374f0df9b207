import type { PgTable } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import type { OrderBy, SortableName, SortDirection } from '../order.ts'
import { findColumn, toTableShape } from '../table.ts'

const maxTerms = 8

/**
 * A valibot schema for the order of a route: names of columns, separated by commas, with `-` for descending order. Its output is an `OrderBy`.
 * Another name, a repeated name, and more than 8 names are a validation_error.
 *
 * @example
 * const sort = sortSchema(authors, ['name', 'born'])
 * v.parse(sort, '-born,name') // { born: 'desc', name: 'asc' }
 */
export function sortSchema<TTable extends PgTable, const TName extends SortableName<TTable>>(
  table: TTable,
  names: readonly TName[],
): v.GenericSchema<string, { readonly [Name in TName]?: SortDirection }> & v.GenericSchema<string, OrderBy<TTable>>
export function sortSchema(table: PgTable, names: readonly string[]): v.GenericSchema<string, object> {
  const shape = toTableShape(table)
  for (const name of names) {
    if (findColumn(shape, name)?.comparison === 'scalar') continue
    throw new TypeError(`sortSchema(): '${name}' of '${shape.name}' is not a column that can be sorted by`)
  }
  const known = new Set(names)
  return v.pipe(
    v.string(),
    v.maxLength(1000),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const order: Record<string, SortDirection> = {}
      const terms = dataset.value.split(',')
      for (const term of terms) {
        const [direction, name]: [SortDirection, string] = term.startsWith('-')
          ? ['desc', term.slice(1)]
          : ['asc', term]
        if (known.has(name) && !Object.hasOwn(order, name) && terms.length <= maxTerms) {
          order[name] = direction
          continue
        }
        addIssue({
          message: `Must be a list of ${names.join(', ')}, separated by commas, each at most once, with - for descending order`,
        })
        return NEVER
      }
      return order
    }),
  )
}
