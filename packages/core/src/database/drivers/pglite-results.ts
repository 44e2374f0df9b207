import type { PGlite } from '@electric-sql/pglite'
import { serializers } from '../values/parameters.ts'
import type { ResultForm } from './drizzle-session.ts'
import type { PgliteForm } from './pglite-connection.ts'

const asText = (text: string): string => text

/** Has a PGlite that is ready give the texts of the server, and write parameters as we do. */
export function useTexts(server: PGlite): void {
  for (const type of Object.keys(server.parsers)) server.parsers[type] = asText
  server.serializers = { ...serializers }
}

export const pgliteForm: ResultForm<PgliteForm> = {
  arrays: { rowMode: 'array' },
  objects: { rowMode: 'object' },
  toSets: (result) => {
    if (typeof result !== 'object' || result === null || !('rows' in result) || !('fields' in result)) return []
    const { rows, fields } = result
    if (!Array.isArray(rows) || !Array.isArray(fields)) return []
    return [{ rows, columns: fields.filter(isField).map(({ name, dataTypeID }) => ({ name, type: dataTypeID })) }]
  },
}

function isField(value: unknown): value is { readonly name: string; readonly dataTypeID: number } {
  return typeof value === 'object' && value !== null && 'name' in value && 'dataTypeID' in value
}
