import type { Revocation } from './revocations.ts'

/** What nodes say to one another about sessions and users that were revoked. */
export interface RevocationMessage {
  readonly revocations: readonly Revocation[]
  /** Epoch milliseconds: no token that they cover can be valid after that. */
  readonly forgetAt: number
  /** Sessions of these users that the receiver knows are revoked too. */
  readonly withKnownSessions: boolean
}

/** So that a message stays far below the limit of its size. */
const maxRevocations = 200
/** Of an id in a token, which is limited itself. */
const maxIdLength = 16 * 1024

/** The users come last: only then has a receiver all sessions that its sender knows. */
export function toRevocationMessages(message: RevocationMessage): readonly RevocationMessage[] {
  const { revocations } = message
  const messages: RevocationMessage[] = []
  for (let i = 0; i < revocations.length; i += maxRevocations)
    messages.push({ ...message, revocations: revocations.slice(i, i + maxRevocations) })
  return messages
}

/** Null for anything else: another version of the plugin may run on the node that sent it. */
export function readRevocationMessage(data: unknown): RevocationMessage | null {
  if (!isRecord(data)) return null
  const { revocations, forgetAt, withKnownSessions } = data
  if (!Array.isArray(revocations) || !isTime(forgetAt) || typeof withKnownSessions !== 'boolean') return null
  const read = revocations.map(readRevocation)
  return read.every((each) => each !== null) ? { revocations: read, forgetAt, withKnownSessions } : null
}

function readRevocation(value: unknown): Revocation | null {
  if (!isRecord(value)) return null
  const { kind, sessionId, userId, untilMs } = value
  if (kind === 'session' && isId(sessionId)) return { kind, sessionId }
  return kind === 'user' && isId(userId) && isTime(untilMs) ? { kind, userId, untilMs } : null
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxIdLength
}
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
