import { randomUUID } from 'node:crypto'

// Visible ASCII: nothing that breaks a line of a log, or a header that it is sent back in.
const sane = /^[\x21-\x7e]{1,128}$/

/**
 * The id under which logs of several systems speak of one call: the caller's whole `X-Correlation-ID` when it is 1 to 128
 * characters of visible ASCII, else a new UUID.
 *
 * @param header '' when there is none.
 *
 * @example
 * toCorrelationId('order-4711') // 'order-4711'
 * toCorrelationId('') // '1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b', or another
 */
export function toCorrelationId(header: string): string {
  return sane.test(header) ? header : randomUUID()
}
