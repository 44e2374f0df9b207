import { BlockList, isIP, SocketAddress } from 'node:net'
import { BootError } from '../base/boot-error.ts'

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
 * A list of addresses to look callers up in, made once at boot.
 *
 * @param entries addresses and CIDR networks.
 * @param option what they are called in a message.
 * @throws BootError `bad_option`, naming the entry.
 *
 * @example
 * const office = createNetworks(['10.0.0.0/8', '2001:db8::/32'], 'billing({ networks })')
 * if (!office.has(call.address)) throw new PermissionDeniedError()
 */
export function createNetworks(entries: readonly string[], option: string): Networks {
  const list = new BlockList()
  for (const entry of entries) {
    const { address, prefix, family } = toNetwork(entry, option)
    list.addSubnet(address, prefix, family)
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

function toNetwork(entry: string, option: string): Network {
  const slash = entry.indexOf('/')
  const [text, size] = slash === -1 ? [entry, null] : [entry.slice(0, slash), entry.slice(slash + 1)]
  const address = toAddress(text)
  if (address === null || text.includes('%')) throw badEntry(option, entry, 'is not an IP address or a CIDR network')
  const family = address.includes(':') ? 'ipv6' : 'ipv4'
  const bits = family === 'ipv4' ? 32 : 128
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8, seen through IPv6.
  const offset = family === 'ipv4' && text.includes(':') ? 96 : 0
  if (size === null) return { address, family, prefix: bits }
  const prefix = /^\d{1,3}$/.test(size) ? Number(size) - offset : -1
  if (prefix < 0 || prefix > bits)
    throw badEntry(option, entry, `has no prefix length of ${offset} to ${bits + offset}`)
  return { address, family, prefix }
}

function badEntry(option: string, entry: string, reason: string): BootError {
  return new BootError('bad_option', `${option}: '${entry}' ${reason}`)
}
