const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/
const maxLength = 256

/**
 * The `traceparent` header as received, if it is valid (https://www.w3.org/TR/trace-context/#traceparent-header), else null. Version 00 has
 * exactly four parts; later versions may have more.
 *
 * @param header '' when there is none.
 *
 * @example
 * toTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01') // the same
 * toTraceparent('00-00000000000000000000000000000000-00f067aa0ba902b7-01') // null
 */
export function toTraceparent(header: string): string | null {
  if (header === '' || header.length > maxLength || !pattern.test(header)) return null
  return header.startsWith('00-') && header.length !== 55 ? null : header
}

/** The 32 hexadecimal digits that all lines of one trace share. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35)
}
