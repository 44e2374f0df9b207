import { createId } from '../base/unique-id.ts'

// Visible ASCII: nothing that breaks a log line, or the header that returns it.
const validId = /^[\x21-\x7e]{1,128}$/

/**
 * The id of one call in the logs of several systems: the caller's whole `X-Correlation-ID` when it is 1 to 128
 * characters of visible ASCII, else a new one in the form of a UUID.
 *
 * @param header '' when there is none.
 *
 * @example
 * toCorrelationId('order-4711') // 'order-4711'
 * toCorrelationId('') // '1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b', or another
 */
export function toCorrelationId(header: string): string {
  return header !== '' && validId.test(header) ? header : createId()
}
