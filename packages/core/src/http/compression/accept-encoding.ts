/** The encodings that an answer may have. */
export type Encoding = 'br' | 'gzip'

const all: readonly Encoding[] = ['br', 'gzip']

/**
 * The encoding that an `Accept-Encoding` header asks for (RFC 9110, 12.5.3): the one with the higher weight, `preferred` of two with the same. Null
 * for the body as it is: neither is accepted, or `identity` weighs more, or there is no header. Such a client would be allowed both by the RFC, but one
 * that can decode says so. A weight that is not one counts as 0. Only what is `available` is chosen. The time is linear in the length, and nothing is kept.
 *
 * @example
 * chooseEncoding('gzip, deflate, br, zstd') // 'br', as browsers send it
 * chooseEncoding('br;q=0.5, gzip;q=0.8') // 'gzip'
 * chooseEncoding('identity, gzip;q=0.5') // null
 * chooseEncoding('gzip, deflate, br', 'br', ['gzip']) // 'gzip', where nothing else is
 */
export function chooseEncoding(
  header: string,
  preferred: Encoding = 'br',
  available: readonly Encoding[] = all,
): Encoding | null {
  let br = -1
  let gzip = -1
  let identity = -1
  let others = -1
  for (let start = 0; start < header.length; ) {
    const comma = header.indexOf(',', start)
    const end = comma === -1 ? header.length : comma
    const member = header.slice(start, end)
    const semicolon = member.indexOf(';')
    const name = semicolon === -1 ? member : member.slice(0, semicolon)
    const weight = semicolon === -1 ? 1 : weightOf(member.slice(semicolon + 1))
    // A coding that is named twice has its higher weight.
    switch (name.trim().toLowerCase()) {
      case 'br':
        br = Math.max(br, weight)
        break
      case 'gzip':
      case 'x-gzip':
        gzip = Math.max(gzip, weight)
        break
      case 'identity':
        identity = Math.max(identity, weight)
        break
      case '*':
        others = Math.max(others, weight)
    }
    start = end + 1
  }
  // What is not named has the weight of `*`. Without one it is refused, and `identity` is accepted last.
  if (br === -1) br = others
  if (gzip === -1) gzip = others
  if (identity === -1) identity = others
  if (!available.includes('br')) br = -1
  if (!available.includes('gzip')) gzip = -1
  const best = Math.max(br, gzip)
  if (best <= 0 || identity > best) return null
  if (br === gzip) return preferred
  return br === best ? 'br' : 'gzip'
}

/** RFC 9110, 12.4.2: three digits after the point, between 0 and 1. */
const validWeight = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

function weightOf(parameters: string): number {
  for (const parameter of parameters.split(';')) {
    const [name = '', value = ''] = parameter.split('=', 2)
    if (name.trim().toLowerCase() !== 'q') continue
    const weight = value.trim()
    return validWeight.test(weight) ? Number(weight) : 0
  }
  return 1
}
