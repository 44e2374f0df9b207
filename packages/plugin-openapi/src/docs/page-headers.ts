import type { ApiServer } from '../shared/info.ts'

/**
 * Headers of the pages and of what they load. A page runs its own scripts only, and sends requests to the app, and to the servers that its documents name.
 */
export function toPageHeaders(servers: readonly ApiServer[]): Readonly<Record<string, string>> {
  const origins = servers.flatMap(({ url }) => {
    const { origin } = new URL(url)
    return [origin, origin.replace(/^http/, 'ws')]
  })
  const policy = [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self'`,
    `img-src 'self' data:`,
    `connect-src ${["'self'", ...new Set(origins)].join(' ')}`,
    `frame-ancestors 'none'`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ]
  return {
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  }
}
