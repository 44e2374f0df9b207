import { parseCookie } from 'cookie'

type Parsed = Readonly<Record<string, string | undefined>>

/** By the headers they are in, which a connection keeps: its cookies are parsed once, not for each of its calls. */
const parsed = new WeakMap<Readonly<Record<string, string>>, Parsed>()

/**
 * A cookie of a request, decoded; null when it was not sent. Of two with one name the first counts, which is the one with the longer path. What
 * is not percent-encoded correctly is returned as it was sent, and quotes are a part of the value.
 *
 * @example
 * readCookie(request.headers, '__Host-access_token')
 */
export function readCookie(headers: Readonly<Record<string, string>>, name: string): string | null {
  const { cookie } = headers
  if (cookie === undefined || cookie === '') return null
  let cookies = parsed.get(headers)
  if (cookies === undefined) {
    cookies = parseCookie(cookie)
    parsed.set(headers, cookies)
  }
  return cookies[name] ?? null
}

/** A `Cookie` header without cookies of these names; '' when no other was sent. */
export function withoutCookies(header: string, names: readonly string[]): string {
  const kept = header.split(';').filter((pair) => {
    const end = pair.indexOf('=')
    return end === -1 || !names.includes(pair.slice(0, end).trim())
  })
  return kept.join(';').trim()
}
