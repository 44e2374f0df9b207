import type { DisconnectRow } from '../errors/disconnect.ts'
import { isName, isRecord } from './control-messages.ts'

/** Whose connections to close. */
export type DisconnectTarget =
  /** All of one identity, by its id. */
  | { readonly identity: string }
  /** One, by its id. */
  | { readonly connection: string }
  /** All of one login session, by `sessionId` of their identities. */
  | { readonly session: string }

/** How to close them. */
export type CloseReason = Pick<DisconnectRow, 'code' | 'reason'>

/** Null for anything else. */
export function readTarget(value: unknown): DisconnectTarget | null {
  if (!isRecord(value) || Object.keys(value).length !== 1) return null
  const { identity, connection, session } = value
  if (isName(identity)) return { identity }
  if (isName(connection)) return { connection }
  return isName(session) ? { session } : null
}

/** What a close frame may contain (RFC 6455, section 7.4), without codes that say something about the protocol. Null for anything else. */
export function readCloseReason(value: unknown): CloseReason | null {
  if (!isRecord(value)) return null
  const { code, reason } = value
  if (typeof code !== 'number' || !Number.isInteger(code) || typeof reason !== 'string') return null
  const isAllowed = code === 1000 || code === 1008 || (code >= 1011 && code <= 1013) || (code >= 3000 && code <= 4999)
  return isAllowed && Buffer.byteLength(reason) <= 123 ? { code, reason } : null
}
