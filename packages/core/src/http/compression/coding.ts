import type { HeaderList } from '../../transport/transport.ts'
import { chooseEncoding, type Encoding } from './accept-encoding.ts'
import { isCompressible } from './compressible.ts'

/** How an answer that may be compressed is sent. */
export type Coding = Encoding | 'identity'

/** Headers of an answer that must be sent byte for byte: it has an encoding or is a part, or they have a digest of its bytes. */
const fixing: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-range',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
])

/**
 * The coding of an answer; null for one that is never compressed, by its status, its headers (`cache-control: no-transform` among them) or its
 * content type. `type`: the content type, unless `headers` have one.
 */
export function chooseCoding(
  status: number,
  headers: HeaderList,
  type: string,
  acceptEncoding: string,
  preferred: Encoding = 'br',
): Coding | null {
  if (status === 204 || status === 205 || status === 206 || status === 304) return null
  let contentType = type
  for (const [name, value] of headers) {
    if (name === 'content-type') contentType = value
    else if (fixing.has(name) || (name === 'cache-control' && /\bno-transform\b/i.test(value))) return null
  }
  if (!isCompressible(contentType)) return null
  return chooseEncoding(acceptEncoding, preferred) ?? 'identity'
}

/**
 * The headers of an answer with its coding. One `vary` names `Accept-Encoding` beside what the others named; the answer that is sent as it is
 * has it too, else a cache would give it to clients that could have less. A strong ETag becomes weak when the bytes differ from those that it was made
 * for (RFC 9110, 8.8.1).
 */
export function withCoding(headers: HeaderList, coding: Coding): HeaderList {
  const names = new Map<string, string>()
  const list: (readonly [string, string])[] = []
  for (const header of headers) {
    const [name, value] = header
    if (name === 'vary') for (const field of value.split(',')) names.set(field.trim().toLowerCase(), field.trim())
    else if (name === 'etag' && coding !== 'identity' && value.startsWith('"')) list.push([name, `W/${value}`])
    else list.push(header)
  }
  names.delete('')
  if (!names.has('accept-encoding')) names.set('accept-encoding', 'Accept-Encoding')
  list.push(['vary', names.has('*') ? '*' : [...names.values()].join(', ')])
  if (coding !== 'identity') list.push(['content-encoding', coding])
  return list
}
