import type { Sql } from 'postgres'
import { serializers } from '../values/parameters.ts'
import type { ResultForm, ResultSet } from './drizzle-session.ts'
import type { PostgresForm } from './postgres-connection.ts'

/** Has a client give the texts of the server, and write parameters as we do. A client has codecs of its own. */
export function useTexts({ parsers, serializers: own }: Pick<Sql['options'], 'parsers' | 'serializers'>): void {
  for (const codecs of [parsers, own]) for (const type of Object.keys(codecs)) Reflect.deleteProperty(codecs, type)
  Object.assign(own, serializers)
}

export const postgresForm: ResultForm<PostgresForm> = {
  arrays: { values: true },
  objects: { values: false },
  toSets: (result) => {
    const set = toSet(result)
    if (set !== null) return [set]
    return Array.isArray(result) ? result.flatMap((each) => toSet(each) ?? []) : []
  },
}

/** postgres.js gives an array of rows that has the columns as a property; null for a statement without rows. */
function toSet(result: unknown): ResultSet | null {
  if (!Array.isArray(result) || !('columns' in result) || !Array.isArray(result.columns)) return null
  return { rows: result, columns: result.columns.filter(isColumn) }
}

function isColumn(value: unknown): value is ResultSet['columns'][number] {
  return typeof value === 'object' && value !== null && 'name' in value && 'type' in value
}
