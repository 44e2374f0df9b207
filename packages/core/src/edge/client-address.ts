import { createNetworks, toAddress } from './networks.ts'

/** Tells the client's address from the peer's. */
export interface ClientAddress {
  /** `forwardedFor`: the `X-Forwarded-For` header, '' when there is none. */
  readonly resolve: (peer: string, forwardedFor: string) => string
  /** May this peer's `X-Forwarded-*` headers be believed? */
  readonly isTrusted: (peer: string) => boolean
}

/** What was found out about one text. */
interface Judgement {
  readonly address: string
  readonly isTrusted: boolean
}

const maxJudged = 4096
/** The longest text that is an address, with some room for a zone; what is longer is not kept. */
const maxAddressLength = 64

/** Without proxies the peer is the client, at no cost. */
const nobody: ClientAddress = { resolve: (peer) => peer, isTrusted: () => false }

/**
 * The right-most address that is not a trusted proxy: what stands further left may have been written by the client itself.
 * Nobody is trusted unless named. The walk goes from the peer to the left and stops at the first entry that is no IP
 * address; the last good one is the answer.
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
  if (trustedProxies.length === 0) return nobody
  const trusted = createNetworks(trustedProxies, 'trustedProxies')
  // Asking the native list takes over a microsecond, and every request asks; proxies and clients come again and again.
  const judged = new Map<string, Judgement | null>()
  const judge = (text: string): Judgement | null => {
    const known = judged.get(text)
    if (known !== undefined) return known
    const address = toAddress(text)
    const judgement = address === null ? null : { address, isTrusted: trusted.has(address) }
    if (judged.size >= maxJudged) judged.clear()
    if (text.length <= maxAddressLength) judged.set(text, judgement)
    return judgement
  }
  const isTrusted = (peer: string): boolean => judge(peer)?.isTrusted ?? false
  const resolve = (peer: string, forwardedFor: string): string => {
    if (forwardedFor === '' || !isTrusted(peer)) return peer
    let client = peer
    for (let end = forwardedFor.length; end >= 0; ) {
      const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1)
      const judgement = judge(withoutPort(forwardedFor.slice(comma + 1, end).trim()))
      if (judgement === null) return client
      client = judgement.address
      if (!judgement.isTrusted) return client
      end = comma
    }
    return client
  }
  return { resolve, isTrusted }
}

/** `1.2.3.4:5`, `[::1]:5`, `[::1]` without what is no address. */
function withoutPort(entry: string): string {
  return /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(entry)?.[1] ?? entry
}
