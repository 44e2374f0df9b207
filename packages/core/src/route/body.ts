import type { ParsedBody } from '../call/compiled-route.ts'
import { coreError, MalformedRequestError } from '../errors/app-error.ts'
import type { Result } from '../errors/result.ts'
import { parseQuery } from './query.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })
const empty: Result<ParsedBody> = Object.freeze({ ok: true, value: Object.freeze({ kind: 'empty' }) })

// RFC 9110, 8.3.1: type "/" subtype, both tokens.
const jsonType = /^(?:application\/json|[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+\+json)$/
const formType = 'application/x-www-form-urlencoded'

/**
 * Decodes a body by its content type: JSON (`application/json`, `*+json`) and `application/x-www-form-urlencoded`, both
 * UTF-8 only. Without bytes it is `empty`; bytes without a type, or of another type, are
 * `unsupported_media_type`; bytes that do not match the type are `malformed_request`.
 *
 * @param contentType the header as sent; '' when there is none.
 *
 * @example
 * parseBody('application/json', new TextEncoder().encode('{"name":"Ursula"}'))
 * // { ok: true, value: { kind: 'json', value: { name: 'Ursula' }, hadEscapes: false } }
 */
export function parseBody(contentType: string, bytes: Uint8Array): Result<ParsedBody> {
  // As a package without `data`, and as a request without a type: many clients always send the type.
  if (bytes.length === 0 && (contentType === 'application/json' || contentType === '')) return empty
  if (contentType === 'application/json') return parseJson(bytes)
  if (contentType === '') return unsupported('A body requires a Content-Type')
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  const name = type.trim()
  const isForm = name === formType
  if (!isForm && !jsonType.test(name)) return unsupported(`Content-Type must be application/json or ${formType}`)
  if (!parameters.every(isUtf8)) return unsupported('charset must be utf-8')
  if (bytes.length === 0 && !isForm) return empty
  return isForm ? parseForm(bytes) : parseJson(bytes)
}

function parseJson(bytes: Uint8Array): Result<ParsedBody> {
  const text = decodeText(bytes)
  if (text === null) return malformed('Body is not valid UTF-8')
  try {
    return { ok: true, value: { kind: 'json', value: JSON.parse(text), hadEscapes: text.includes('\\u') } }
  } catch {
    // The message of the engine quotes the text, which may contain a password.
    return malformed('Body is not valid JSON')
  }
}

function parseForm(bytes: Uint8Array): Result<ParsedBody> {
  const text = decodeText(bytes)
  if (text === null) return malformed('Body is not valid UTF-8')
  const form = parseQuery(text)
  return form.ok ? { ok: true, value: { kind: 'form', value: form.value } } : form
}

/** False only for a `charset` that is not UTF-8; other parameters are ignored. */
function isUtf8(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=')
  return name.trim() !== 'charset' || /^\s*("?)utf-?8\1\s*$/.test(value)
}

function decodeText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}

function malformed(message: string): Result<never> {
  return { ok: false, error: new MalformedRequestError(message) }
}

function unsupported(message: string): Result<never> {
  return { ok: false, error: coreError('unsupported_media_type', message) }
}
