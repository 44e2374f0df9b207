import { readClaims } from './token.ts'

/** Where the tokens of a user come from. They are in memory only. */
export interface TokenSource {
  /** For people: `admin`, or `a token that was pasted`. */
  readonly name: string
  /** Can it have another token than the one that it has? */
  readonly canRenew: boolean
  /** The token; another one than `rejected`, if there is one. */
  get(rejected: string | null): Promise<string | null>
}

export function pasted(token: string): TokenSource {
  const claims = readClaims(token)
  return {
    name: claims?.name || 'the owner of the pasted token',
    canRenew: false,
    get: async (rejected) => (rejected === token ? null : token),
  }
}

/** `request` asks for a new token. */
export function renewing(name: string, request: () => Promise<string>): TokenSource {
  return { name, canRenew: true, get: () => request() }
}

/** `Bearer abc`, quotes and white space around it are left out. Null if nothing is left. */
export function cleanToken(text: string): string | null {
  const token = text
    .trim()
    .replace(/^(?:authorization:\s*)?bearer(?:\s+|$)/i, '')
    .replace(/^["']|["']$/g, '')
    .trim()
  return /^[\x21-\x7e]+$/.test(token) ? token : null
}
