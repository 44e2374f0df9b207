import { isIPv6 } from 'node:net'
import { option } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'

/**
 * A `Host` header without its port, in one spelling: small letters, no dot at the end, IPv6 without brackets.
 *
 * @example
 * toHostName('API.example.com:8443') // 'api.example.com'
 * toHostName('[::1]:8000') // '::1'
 */
export function toHostName(header: string): string {
  const host = header.toLowerCase()
  if (host.startsWith('[')) return /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/.exec(host)?.[1] ?? ''
  const name = host.replace(/:\d{1,5}$/, '')
  return name.endsWith('.') ? name.slice(0, -1) : name
}

const plainName = /^[\w-]+(?:\.[\w-]+)*\.?$/

/** Null for what is not a host name. An IPv6 address may have brackets. */
function readHostName(host: string): string | null {
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host
  // As browsers write it, whose Host header it is compared with.
  if (isIPv6(bare) && !bare.includes('%')) return toHostName(new URL(`http://[${bare}]`).host)
  return plainName.test(host) ? toHostName(host) : null
}

/** Of the names that an app answers to; `*` for any. */
export const hostsRule: OptionRule<readonly string[] | undefined> = option.list({
  of: option.string({
    expects: 'a host name without scheme, port and path',
    test: (host) => host === '*' || readHostName(host) !== null,
  }),
  expects: 'a list of host names, such as ["api.example.com"]',
})

/** Host names that `hostsRule` has accepted, in the spelling of `toHostName`. */
export function toHostNames(hosts: readonly string[]): readonly string[] {
  return hosts.map((host) => readHostName(host) ?? host)
}

/** `https://app.example`: scheme, host and port, as a browser writes it. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

/** `alsoAllowed`: strings that are accepted in addition to origins. */
export const originsRule = (...alsoAllowed: readonly string[]): OptionRule<readonly string[] | undefined> =>
  option.list({
    of: option.string({
      expects: "an origin such as 'https://app.example.com'",
      test: (entry) => alsoAllowed.includes(entry) || isOrigin(entry),
    }),
    expects: 'a list of origins, such as ["https://app.example.com"]',
  })
