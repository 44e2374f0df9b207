/**
 * An IP address as text: 4 bytes dotted, 16 bytes in the form of RFC 5952, and IPv4 mapped into IPv6 dotted, so that
 * one client has one name whichever kind of socket it came through.
 */
export function toIpText(address: ArrayBuffer): string {
  const bytes = new Uint8Array(address)
  if (bytes.length === 4) return dotted(bytes, 0)
  if (bytes.length !== 16) return ''
  if (isMapped(bytes)) return dotted(bytes, 12)
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0))
  const [start, length] = longestZeros(groups)
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':')
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

function dotted(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
}

/** ::ffff:0:0/96 */
function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false
  return bytes[10] === 0xff && bytes[11] === 0xff
}

/** The first of the longest runs of zeros, as `[start, length]`. */
function longestZeros(groups: readonly number[]): [number, number] {
  let best: [number, number] = [0, 0]
  let run = 0
  groups.forEach((group, i) => {
    run = group === 0 ? run + 1 : 0
    if (run > best[1]) best = [i - run + 1, run]
  })
  return best
}
