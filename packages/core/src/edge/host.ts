import { isIPv6 } from 'node:net'
import { BootError } from '../base/boot-error.ts'

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

/** The names an app answers to. An IPv6 address may stand in brackets or not. @throws BootError `bad_option` */
export function toHostNames(hosts: readonly string[]): readonly string[] {
  return hosts.map(toName)
}

const plainName = /^[\w-]+(?:\.[\w-]+)*\.?$/

function toName(host: string): string {
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host
  // As browsers write it, whose Host header it is compared with.
  if (isIPv6(bare) && !bare.includes('%')) return toHostName(new URL(`http://[${bare}]`).host)
  if (plainName.test(host)) return toHostName(host)
  throw new BootError('bad_option', `http.hosts: '${host}' is not a host name: write it without scheme, port and path`)
}

/** `https://app.example`: scheme, host and port, as a browser writes it. */
export function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}
