import type { PgColumn } from 'drizzle-orm/pg-core'
import { maxParameters } from './identify.ts'
import type { TableShape } from './table.ts'

type Values = Readonly<Record<string, unknown>>

/** Rows in as few batches as the number of parameters of one statement allows. */
export function toBatches<T extends Values>({ columns }: TableShape, rows: readonly T[]): T[][] {
  const batches: T[][] = []
  const list = Object.values(columns)
  let batch: T[] = []
  let parameters = 0
  for (const row of rows) {
    let needed = 0
    for (const { name, column } of list) if (row[name] !== undefined || fillsIn(column)) needed += 1
    if (batch.length > 0 && parameters + needed > maxParameters) {
      batches.push(batch)
      batch = []
      parameters = 0
    }
    batch.push(row)
    parameters += needed
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** drizzle computes a value where none is given; a default of the database is the keyword `default`, without a parameter. */
function fillsIn({ defaultFn, onUpdateFn }: PgColumn): boolean {
  return defaultFn !== undefined || onUpdateFn !== undefined
}
