import { option } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'
import { createNetworks, networkRule, toAddress } from './networks.ts'

export const trustedProxiesRule: OptionRule<readonly string[]> = option.list({
  of: networkRule,
  expects: 'a list of IP addresses and CIDR networks, such as ["10.0.0.0/8"]',
  default: [],
})

/** Finds the address of the client behind proxies. */
export interface ClientAddress {
  /** `forwardedFor`: the `X-Forwarded-For` header, '' when there is none. */
  readonly resolve: (peer: string, forwardedFor: string) => string
  /** How many entries of the header, from the right, `resolve` has accepted: the last of them is the client. 0: the peer is the client. */
  readonly countHops: (peer: string, forwardedFor: string) => number
  /** Are the `X-Forwarded-*` headers of this peer used? */
  readonly isTrusted: (peer: string) => boolean
}

/** A parsed entry of the header. */
interface Entry {
  readonly address: string
  readonly isTrusted: boolean
}

const maxCached = 4096
/** Longest address, with a zone; longer strings are not cached. */
const maxAddressLength = 64

/** Without proxies the peer is the client. */
const withoutProxies: ClientAddress = { resolve: (peer) => peer, countHops: () => 0, isTrusted: () => false }

/**
 * The right-most address that is not a trusted proxy: entries further left may have been written by the client itself.
 * No proxy is trusted by default. Entries are read from the peer to the left, up to the first one that is not an IP
 * address; the last valid one is the result.
 *
 * @param trustedProxies addresses and CIDR networks, IPv4 and IPv6.
 * @throws BootError `bad_option`, naming the entry.
 *
 * @example
 * const clients = createClientAddress(['10.0.0.0/8'])
 * clients.resolve('10.0.0.1', '6.6.6.6, 203.0.113.7, 10.0.0.2') // '203.0.113.7'
 * clients.resolve('203.0.113.9', '6.6.6.6') // '203.0.113.9'
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return withoutProxies
  const trusted = createNetworks(trustedProxies, 'trustedProxies')
  // Cached, because a lookup in the list of networks takes over a microsecond, and proxies and clients recur.
  const cache = new Map<string, Entry | null>()
  const parse = (text: string): Entry | null => {
    const known = cache.get(text)
    if (known !== undefined) return known
    const address = toAddress(text)
    const entry = address === null ? null : { address, isTrusted: trusted.has(address) }
    if (cache.size >= maxCached) cache.clear()
    if (text.length <= maxAddressLength) cache.set(text, entry)
    return entry
  }
  const isTrusted = (peer: string): boolean => parse(peer)?.isTrusted ?? false
  // Of the last `resolve`: not part of its result, so that nothing is allocated for the usual call.
  let hops = 0
  const resolve = (peer: string, forwardedFor: string): string => {
    hops = 0
    if (forwardedFor === '' || !isTrusted(peer)) return peer
    let client = peer
    for (let end = forwardedFor.length; end >= 0; ) {
      const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1)
      const entry = parse(withoutPort(forwardedFor.slice(comma + 1, end).trim()))
      if (entry === null) return client
      client = entry.address
      hops++
      if (!entry.isTrusted) return client
      end = comma
    }
    return client
  }
  const countHops = (peer: string, forwardedFor: string): number => {
    resolve(peer, forwardedFor)
    return hops
  }
  return { resolve, countHops, isTrusted }
}

/** `1.2.3.4:5`, `[::1]:5`, `[::1]` without port and brackets. */
function withoutPort(entry: string): string {
  return /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(entry)?.[1] ?? entry
}
