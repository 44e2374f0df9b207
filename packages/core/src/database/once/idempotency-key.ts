import type { Call } from '../../call/call.ts'
import { coreError, MalformedRequestError } from '../../errors/app-error.ts'

const uuidPattern = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i
const zeroUuid = '00000000-0000-0000-0000-000000000000'
const maxLength = 255
/** A string of RFC 8941: printable ASCII, with `\"` and `\\`. */
const quotedPattern = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
/** Without quotes: visible ASCII, but what separates the parts of a list or of an item. */
const barePattern = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+$/

/**
 * What a client repeats a call by: the `req_id` of its package, or the `Idempotency-Key` of its request. A key that is a UUID is the same as that
 * `req_id`. Null for a request without one; the id that the server gave it is none.
 *
 * @throws AppError `malformed_request`; `idempotency_key_required` for a request without one, if it is `required`
 */
export function readKey(call: Pick<Call, 'wire' | 'id' | 'headers'>, required: boolean): string | null {
  const key = call.wire === 'ws' ? call.id : readHeader(call.headers, required)
  if (key === null || !uuidPattern.test(key)) return key
  if (key === zeroUuid)
    throw new MalformedRequestError('The zero UUID cannot identify a call that has one effect: choose a random one')
  return key.toLowerCase()
}

function readHeader(headers: Call['headers'], required: boolean): string | null {
  const { 'idempotency-key': value } = headers
  if (value === undefined) {
    if (required) throw coreError('idempotency_key_required')
    return null
  }
  const key = barePattern.test(value) ? value : quotedPattern.exec(value)?.[1]?.replace(/\\(["\\])/g, '$1')
  if (key === undefined || key === '' || key.length > maxLength)
    throw new MalformedRequestError(
      `Idempotency-Key must be a string of 1 to ${maxLength} characters of ASCII: "8e03978e-40d5-43e8-bc93-6894a57f9324"`,
    )
  return key
}
