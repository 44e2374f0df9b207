import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { TestResponse } from '../../testing/test-request.ts'

/** What a client that can decode sends. */
export function accepts(
  encoding: string,
  more: Readonly<Record<string, string>> = {},
): { readonly headers: Readonly<Record<string, string>> } {
  const headers = { 'accept-encoding': encoding, ...more }
  return { headers }
}

/** The body as the handler wrote it. */
export function decoded({ headers, bytes }: Pick<TestResponse, 'headers' | 'bytes'>): Buffer {
  const encoding = headers['content-encoding']
  if (encoding === undefined) return Buffer.from(bytes)
  return encoding === 'br' ? brotliDecompressSync(bytes) : gunzipSync(bytes)
}

/** About as many bytes of JSON as `bytes` says. */
export function authors(bytes: number): readonly { readonly id: number; readonly name: string }[] {
  return Array.from({ length: Math.ceil(bytes / 40) }, (_, id) => ({ id, name: `Author number ${(id * 7919) % 997}` }))
}

export const longText: string = 'A line that comes again and again.\n'.repeat(100)
