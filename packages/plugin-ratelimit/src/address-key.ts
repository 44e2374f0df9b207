/**
 * The network that an address stands for in limits: an IPv4 address itself, of IPv6 the /64, since whoever has one address of it has
 * them all. IPv4 mapped into IPv6 is that IPv4 address.
 */
export function toAddressKey(address: string): string {
  return address.includes(':') ? toPrefix(address) : address
}

function toPrefix(address: string): string {
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  const gap = bare.indexOf('::')
  const left = (gap === -1 ? bare : bare.slice(0, gap)).split(':').filter((group) => group !== '')
  const right =
    gap === -1
      ? []
      : bare
          .slice(gap + 2)
          .split(':')
          .filter((group) => group !== '')
  // Dotted text at the end stands for two groups.
  const count = (groups: readonly string[]): number => groups.length + (groups.at(-1)?.includes('.') ? 1 : 0)
  const zeros = Math.max(0, 8 - count(left) - count(right))
  const groups = [...left, ...Array.from({ length: gap === -1 ? 0 : zeros }, () => '0'), ...right]
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  const key = `${prefix.join(':')}::/64`
  return key === '0:0:0:0::/64' ? (toMappedV4(groups) ?? key) : key
}

/** `0:0:0:0:0:ffff:…`, its end dotted or in two groups. `groups` begins with four that are 0. */
function toMappedV4(groups: readonly string[]): string | null {
  const [fifth = '', sixth = '', high = '', low = ''] = groups.slice(4)
  if (Number.parseInt(fifth, 16) !== 0 || Number.parseInt(sixth, 16) !== 0xffff) return null
  if (high.includes('.')) return high
  const bytes = [high, low].map((group) => Number.parseInt(group, 16)).flatMap((word) => [word >> 8, word & 255])
  return bytes.join('.')
}
