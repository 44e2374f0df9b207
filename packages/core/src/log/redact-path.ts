import { redactText } from './redact-text.ts'
import { isSecretKey } from './secret-keys.ts'

/**
 * A requested path without its secrets: the values of secret parameters of its route, `/reset/:token`, and what follows a secret key. `pattern` is null
 * where no route matched.
 *
 * @example
 * redactPath('/reset/abc', '/reset/:token') // '/reset/[REDACTED]'
 */
export function redactPath(path: string, pattern: string | null): string {
  const segments = path.split('/')
  const names = pattern?.split('/') ?? null
  let isSecret = false
  const shown = segments.map((segment, i) => {
    const name = names?.[i]
    if (name?.startsWith('*')) isSecret ||= isSecretKey(name.slice(1))
    else if (name !== undefined) isSecret = name.startsWith(':') && isSecretKey(name.slice(1))
    // Without a route the names of the parameters are unknown: `/reset/token/abc`.
    else if (names === null) isSecret = i > 0 && isSecretKey(decode(segments[i - 1] ?? ''))
    return isSecret && segment !== '' ? '[REDACTED]' : toSegment(segment)
  })
  return shown.join('/')
}

function toSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  const plain = decode(segment)
  return redactText(plain) === plain ? segment : '[REDACTED]'
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
