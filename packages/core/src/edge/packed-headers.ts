import { withoutCookies } from '../call/cookie-header.ts'
import type { CredentialNames } from '../plugin/control-frames.ts'
import { toHeaderRecord } from '../transport/request-headers.ts'

/**
 * Headers in one string, which takes a quarter of the memory of a record: `\nname:value` for each. Neither a name nor a value contains a line
 * break, and no name a colon.
 */
export type PackedHeaders = string

export const noCredentials: CredentialNames = { headers: [], cookies: [] }

/** `without`: what is not kept. */
export function packHeaders(headers: Readonly<Record<string, string>>, without: CredentialNames): PackedHeaders {
  const lines: string[] = ['']
  for (const name of Object.keys(headers)) {
    if (without.headers.includes(name)) continue
    const value = headers[name] ?? ''
    const kept = name === 'cookie' && without.cookies.length > 0 ? withoutCookies(value, without.cookies) : value
    if (kept !== '' || value === '') lines.push(`${name}:${kept}`)
  }
  // Joined, and not added up: V8 would keep the parts.
  return lines.join('\n')
}

export function unpackHeaders(packed: PackedHeaders): Readonly<Record<string, string>> {
  const pairs: string[] = []
  for (const line of packed.split('\n').slice(1)) {
    const colon = line.indexOf(':')
    pairs.push(line.slice(0, colon), line.slice(colon + 1))
  }
  return toHeaderRecord(pairs)
}

/** One header; '' when it was not sent. */
export function findPacked(packed: PackedHeaders, name: string): string {
  const start = packed.indexOf(`\n${name}:`)
  if (start === -1) return ''
  const from = start + name.length + 2
  const end = packed.indexOf('\n', from)
  return packed.slice(from, end === -1 ? packed.length : end)
}
