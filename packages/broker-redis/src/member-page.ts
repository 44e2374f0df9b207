import type { Member } from '@twinwire/core/transport'
import { parseJson } from './message.ts'

/** The cursor of a page that ended with this connection. */
export const encodeCursor = (connection: string): string => `c${Buffer.from(connection).toString('base64url')}`

/** The connection; empty for a cursor that is none. */
export function decodeCursor(cursor: string | null): string {
  if (cursor === null || !/^c[\w-]+$/.test(cursor)) return ''
  return Buffer.from(cursor.slice(1), 'base64url').toString()
}

/** Null for what is not one. */
export function toMember(text: string): Member | null {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || !('connection' in value)) return null
  const { connection } = value
  const identity = 'identity' in value ? value.identity : null
  if (typeof connection !== 'string' || (typeof identity !== 'string' && identity !== null)) return null
  return { connection, identity, info: 'info' in value ? value.info : null }
}
