/**
 * The network that an address stands for in limits: an IPv4 address itself, of IPv6 the /64, since whoever has one address of it has
 * them all. IPv4 mapped into IPv6 is that IPv4 address.
 */
export function toAddressKey(address: string): string {
  return address.includes(':') ? toPrefix(address) : address
}

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

function toPrefix(address: string): string {
  const v4 = mapped.exec(address)?.[1]
  if (v4 !== undefined) return v4
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
  return `${prefix.join(':')}::/64`
}
