import type { Sql } from 'postgres'
import { serializers } from '../values/parameters.ts'
import type { ResultSet, StatementResult } from './connection.ts'

/** Has a client return the server's strings, and write parameters as this package does. Each client has its own codecs. */
export function useRawText({ parsers, serializers: own }: Pick<Sql['options'], 'parsers' | 'serializers'>): void {
  for (const codecs of [parsers, own]) for (const type of Object.keys(codecs)) Reflect.deleteProperty(codecs, type)
  Object.assign(own, serializers)
}

/** `raw`: the result of postgres.js, for several statements an array of results. */
export function toStatementResult(raw: unknown): StatementResult {
  const set = toSet(raw)
  if (set !== null) return { sets: [set], raw }
  return { sets: Array.isArray(raw) ? raw.flatMap((each) => toSet(each) ?? []) : [], raw }
}

/** postgres.js returns an array of rows with the columns as a property; null for a statement without rows. */
function toSet(result: unknown): ResultSet | null {
  if (!Array.isArray(result) || !('columns' in result) || !Array.isArray(result.columns)) return null
  return { rows: result, columns: result.columns.filter(isColumn) }
}

function isColumn(value: unknown): value is ResultSet['columns'][number] {
  return typeof value === 'object' && value !== null && 'name' in value && 'type' in value
}
