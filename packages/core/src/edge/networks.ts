import { BlockList, isIP, SocketAddress } from 'node:net'
import { option as rule } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'
import { badOption } from '../base/options.ts'

/** IP addresses and networks, IPv4 and IPv6 in any spelling. */
export interface Networks {
  /** False for a string that is not an IP address. */
  has(address: string): boolean
}

interface Network {
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  readonly prefix: number
}

const mappedV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/**
 * A list of addresses and networks, compiled once at boot.
 *
 * @param entries addresses and CIDR networks.
 * @param option name of the list, for messages.
 * @throws BootError `bad_option`, naming the entry.
 *
 * @example
 * const office = createNetworks(['10.0.0.0/8', '2001:db8::/32'], 'billing({ networks })')
 * if (!office.has(call.address)) throw new PermissionDeniedError()
 */
export function createNetworks(entries: readonly string[], option: string): Networks {
  const list = new BlockList()
  for (const [i, entry] of entries.entries()) {
    const network = toNetwork(entry)
    if (network === null) throw badOption(option, `entry ${i + 1}`, `must be ${networkRule.expects}`, entry)
    list.addSubnet(network.address, network.prefix, network.family)
  }
  return {
    has(text) {
      const address = toAddress(text)
      return address !== null && list.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
    },
  }
}

/**
 * The address in one spelling, so that limits and lists can compare strings; null for what is not an address.
 *
 * By Node's parser: ipaddr.js takes `::192.0.2.1` for an IPv4 address, so that it could pass for a trusted proxy, and accepts
 * `::ffff:010.0.0.1`.
 */
export function toAddress(text: string): string | null {
  const version = isIP(text)
  if (version === 0) return null
  if (version === 4) return text
  const [bare = ''] = text.split('%', 1)
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' })
  if (!address.includes('.')) return address
  // Node writes `::192.0.2.1` for `::c000:201`, which is not that IPv4 address. The transport writes the latter.
  return mappedV4.exec(address)?.[1] ?? new URL(`http://[${address}]`).hostname.slice(1, -1)
}

/** Null for what is not a network. */
function toNetwork(entry: string): Network | null {
  const slash = entry.indexOf('/')
  const [text, size] = slash === -1 ? [entry, null] : [entry.slice(0, slash), entry.slice(slash + 1)]
  const address = toAddress(text)
  if (address === null || text.includes('%')) return null
  const family = address.includes(':') ? 'ipv6' : 'ipv4'
  const bits = family === 'ipv4' ? 32 : 128
  if (size === null) return { address, family, prefix: bits }
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8, seen through IPv6.
  const offset = family === 'ipv4' && text.includes(':') ? 96 : 0
  const prefix = /^\d{1,3}$/.test(size) ? Number(size) - offset : -1
  return prefix < 0 || prefix > bits ? null : { address, family, prefix }
}

/** Of an address (IPv4 or IPv6) or a CIDR network. */
export const networkRule: OptionRule<string | undefined> = rule.string({
  expects: 'an IP address or a CIDR network, such as 10.0.0.0/8',
  test: (entry) => toNetwork(entry) !== null,
})
