import type { Publication } from '@twinwire/core/transport'

/** What a channel of a stream carries. The stream is that of the channel. */
export type Message =
  | { readonly kind: 'placed'; readonly epoch: string; readonly offset: number; readonly text: string }
  | { readonly kind: 'unplaced'; readonly text: string }
  | { readonly kind: 'joined' | 'left'; readonly text: string }
  | { readonly kind: 'heartbeat' }

/** A publication without its audience. @throws TypeError for data that is not JSON */
export function encodePublication({ pkgId, cause, data }: Publication): string {
  return JSON.stringify([pkgId, cause, data])
}

/** Null for what is not one. */
export function decodePublication(audience: Publication['audience'], text: string): Publication | null {
  const parts = parseJson(text)
  if (!Array.isArray(parts) || parts.length !== 3) return null
  const [pkgId, cause, data]: readonly unknown[] = parts
  if (typeof pkgId !== 'number' || (typeof cause !== 'string' && cause !== null)) return null
  return { audience, pkgId, data, cause }
}

/** Undefined for text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `+<epoch> <offset> <publication>`, `=<publication>`, `!joined <member>`, `!left <member>`, `~`. Null for anything else. */
export function decodeMessage(message: string): Message | null {
  if (message === '~') return { kind: 'heartbeat' }
  if (message.startsWith('=')) return { kind: 'unplaced', text: message.slice(1) }
  if (message.startsWith('!joined ')) return { kind: 'joined', text: message.slice(8) }
  if (message.startsWith('!left ')) return { kind: 'left', text: message.slice(6) }
  if (!message.startsWith('+')) return null
  const afterEpoch = message.indexOf(' ')
  const afterOffset = message.indexOf(' ', afterEpoch + 1)
  const offset = Number(message.slice(afterEpoch + 1, afterOffset))
  if (afterEpoch < 2 || afterOffset < 0 || !Number.isSafeInteger(offset)) return null
  return { kind: 'placed', epoch: message.slice(1, afterEpoch), offset, text: message.slice(afterOffset + 1) }
}
