import { type AppError, coreError } from '../../errors/app-error.ts'
import { isUnsafeKey } from '../../protocol/safe-value.ts'
import { type HeaderValue, parseHeaderValue } from './header-parameters.ts'
import { refuse } from './multipart-errors.ts'
import { isTransferEncoding, type TransferEncoding } from './transfer-encoding.ts'

/** What the headers of one part say. */
export interface PartHead {
  readonly name: string
  /** A part with a file name is a file, also where the name is empty. */
  readonly isFile: boolean
  /** Safe to show, never a path; null when there is none. */
  readonly filename: string | null
  /** In lower case, without parameters. */
  readonly contentType: string
  /** Decodes the text of the part. */
  readonly charset: string
  readonly encoding: TransferEncoding
}

/** Most header fields of one part, and most bytes of them. */
export const maxPartHeaders = 16
export const maxPartHeaderBytes = 8192

/** Of one part, by lower-case name: each byte is one character. */
export type PartHeaders = Readonly<Record<string, readonly string[] | undefined>>

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })
const looseUtf8 = new TextDecoder('utf-8')

/** Reads the headers of a part (RFC 7578, 4.2 to 4.8), or says what is wrong with them. */
export function toPartHead(headers: PartHeaders, maxNameBytes: number): PartHead | AppError {
  if (isTooLarge(headers))
    return refuse(`A part may have at most ${maxPartHeaders} headers, of ${maxPartHeaderBytes} bytes in all`)
  const given = headers['content-disposition'] ?? []
  const disposition = given.length === 1 ? parseHeaderValue(given[0] ?? '') : null
  if (disposition === null || disposition.value !== 'form-data')
    return refuse('Each part must have one header Content-Disposition: form-data; name="…"')
  const rawName = disposition.parameters.get('name')
  if (rawName === undefined) return refuse('Content-Disposition of each part must have a name')
  const name = decodeName(rawName)
  if (name === null) return refuse('The name of a part is not valid UTF-8')
  if (rawName.length > maxNameBytes) return refuse(`The name of a part may have at most ${maxNameBytes} bytes`, name)
  if (isUnsafeKey(name)) return refuse('Key is not allowed', name)
  const filename = toRawFilename(disposition)
  if (filename !== null && filename.bytes > maxNameBytes)
    return refuse(`The name of a file may have at most ${maxNameBytes} bytes`, name)
  const type = parseHeaderValue(headers['content-type']?.[0] ?? '')
  const charset = type?.parameters.get('charset')?.toLowerCase() ?? 'utf-8'
  if (!isCharset(charset))
    return coreError('unsupported_media_type', `The charset of '${name}' is not known: use utf-8`)
  const encoding = headers['content-transfer-encoding']?.[0]?.trim().toLowerCase() ?? 'binary'
  if (!isTransferEncoding(encoding))
    return refuse('Content-Transfer-Encoding must be 7bit, 8bit, binary, base64 or quoted-printable', name)
  return {
    name,
    isFile: filename !== null,
    filename: filename === null ? null : toSafeFilename(filename.text),
    contentType: toContentType(headers['content-type']?.[0]),
    charset,
    encoding,
  }
}

/** The parser cuts what is longer, at twice the limit, without an error. */
function isTooLarge(headers: PartHeaders): boolean {
  let bytes = 0
  let count = 0
  for (const [name, values = []] of Object.entries(headers))
    for (const value of values) {
      bytes += name.length + value.length
      count++
    }
  return bytes > maxPartHeaderBytes || count > maxPartHeaders
}

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/

/** RFC 7578, 4.4: without one it is text. A value that is not a media type (RFC 6838, 4.2) is not passed on, since it may become a header elsewhere. */
function toContentType(given: string | undefined): string {
  if (given === undefined) return 'text/plain'
  const type = given.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return mediaType.test(type) ? type : 'application/octet-stream'
}

/** Browsers escape these three, and no others. */
function unescapeName(text: string): string {
  return text.replaceAll(/%0A/gi, '\n').replaceAll(/%0D/gi, '\r').replaceAll('%22', '"')
}

function decodeName(raw: string): string | null {
  try {
    return unescapeName(strictUtf8.decode(Buffer.from(raw, 'latin1')))
  } catch {
    return null
  }
}

/** `filename*` (RFC 5987) counts before `filename`, as in downloads; one that cannot be decoded does not count. */
function toRawFilename({ parameters }: HeaderValue): { readonly text: string; readonly bytes: number } | null {
  const extended = parameters.get('filename*')
  const text = extended === undefined ? null : decodeExtended(extended)
  if (extended !== undefined && text !== null) return { text, bytes: extended.length }
  const plain = parameters.get('filename')
  // Only for people to read: what is not UTF-8 is replaced.
  if (plain !== undefined)
    return { text: unescapeName(looseUtf8.decode(Buffer.from(plain, 'latin1'))), bytes: plain.length }
  return extended === undefined ? null : { text: '', bytes: extended.length }
}

function decodeExtended(value: string): string | null {
  const [, charset = '', encoded = ''] = /^(utf-8|iso-8859-1)'[^']*'(.*)$/is.exec(value) ?? []
  if (/%(?![\da-f]{2})/i.test(encoded)) return null
  const bytes = encoded.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  if (charset.toLowerCase() === 'iso-8859-1') return bytes
  return charset === '' ? null : decodeStrict(bytes)
}

function decodeStrict(bytes: string): string | null {
  try {
    return strictUtf8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return null
  }
}

/**
 * What a client calls a file, so that it can be no path: what is behind the last `/` or `\`, without control, direction and line-separating
 * characters, with `_` for the `:` of drives and streams of Windows. Null where nothing but dots is left.
 *
 * @example
 * toSafeFilename('../../etc/passwd') // 'passwd'
 * toSafeFilename('C:\\photos\\cat.png') // 'cat.png'
 * toSafeFilename('..') // null
 */
export function toSafeFilename(filename: string): string | null {
  const visible = filename.replaceAll(/[\p{Cc}\p{Surrogate}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu, '')
  const base = visible.slice(Math.max(visible.lastIndexOf('/'), visible.lastIndexOf('\\')) + 1)
  const name = base.replaceAll(':', '_').trim()
  return /^[\s.]*$/.test(name) ? null : name
}

function isCharset(label: string): boolean {
  try {
    return new TextDecoder(label) instanceof TextDecoder
  } catch {
    return false
  }
}
