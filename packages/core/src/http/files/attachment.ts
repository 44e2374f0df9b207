import contentDisposition from 'content-disposition'
import { isWellFormed } from '../../base/well-formed.ts'

/** Half of a surrogate pair, and what no name may have. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are removed
const unfit = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * A `content-disposition` value with which a browser saves the answer as `filename`. Any other than ASCII is in `filename*` (RFC 8187), with `_` in its place in
 * `filename` for clients that read no other. Only what follows the last slash or backslash is used; control characters and marks that turn the
 * direction of text are removed. Without a name that is left: `attachment`.
 *
 * @example
 * attachment('Müller.pdf') // attachment; filename="M_ller.pdf"; filename*=UTF-8''M%C3%BCller.pdf
 */
export function attachment(filename?: string): string {
  return toDisposition('attachment', filename ?? '')
}

/** The same for a file that the browser shows: `inline`. */
export function toDisposition(type: 'attachment' | 'inline', filename: string): string {
  const name = toWellFormed(filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1))
    .replace(unfit, '')
    .trim()
  if (name === '' || name === '.' || name === '..') return type
  const fallback = name.replace(/[^\u0020-\u007e]/gu, '_')
  return contentDisposition(name, { type, fallback })
}

/** Half of a pair cannot be encoded. */
function toWellFormed(text: string): string {
  return isWellFormed(text) ? text : text.replace(/\p{Surrogate}/gu, '\ufffd')
}
