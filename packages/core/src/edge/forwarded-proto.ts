/** Some proxies write `wss` for an upgrade. Spaces around an entry, and capitals, mean nothing. */
const secureEntry = /^[ \t]*(?:https|wss)[ \t]*$/i
const secureAnywhere = /https|wss/i

/** Cheap, and true for every value by which a client may be secure; exact for one without a comma. */
export function mayBeSecure(forwardedProto: string): boolean {
  if (forwardedProto === '') return false
  return forwardedProto.includes(',') ? secureAnywhere.test(forwardedProto) : secureEntry.test(forwardedProto)
}

/**
 * Is the entry `hops` from the right (1 is the right-most) `https` or `wss`? Where the list has fewer, its left-most: proxies between may pass on what
 * the first one has set. 0 hops, without a client in `X-Forwarded-For`, is the right-most: what the peer has said.
 *
 * @example
 * isSecureAt('https, http', 2) // true: TLS to the first proxy, which speaks plain HTTP to the second
 * isSecureAt('https, http', 1) // false: the one proxy has added `http` to what the client sent
 */
export function isSecureAt(forwardedProto: string, hops: number): boolean {
  let end = forwardedProto.length
  for (let left = hops; ; left--) {
    const comma = end === 0 ? -1 : forwardedProto.lastIndexOf(',', end - 1)
    if (left <= 1 || comma === -1) return secureEntry.test(forwardedProto.slice(comma + 1, end))
    end = comma
  }
}
