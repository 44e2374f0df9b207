import ipaddr from 'ipaddr.js'

/**
 * The key of an address in limits: an IPv4 address itself, an IPv6 address as its /64, because a client usually has all addresses of one.
 * An IPv4-mapped IPv6 address is its IPv4 address. A string that is not an address is returned unchanged.
 */
export function toAddressKey(address: string): string {
  const parsed = address.includes(':') ? parse(address) : null
  if (parsed === null) return address
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString()
  const [a = 0, b = 0, c = 0, d = 0] = parsed.parts
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}::/64`
}

/** One pass: `isValid` would parse the address a second time. */
function parse(address: string): ipaddr.IPv6 | null {
  try {
    return ipaddr.IPv6.parse(address)
  } catch {
    return null
  }
}
