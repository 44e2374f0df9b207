import type { Logger } from '../base/logger.ts'
import { type AppError, coreError } from '../errors/app-error.ts'
import type { HeaderList } from '../transport/transport.ts'

/** The body of every HTTP error response. `link` ends its message. Details that cannot be encoded as JSON are left out, which is logged. */
export function toErrorBody(
  { code, message, details }: AppError,
  link: ((code: string) => string) | null,
  log: () => Logger,
): string {
  const msg = link === null ? message : `${message}${link(code)}`
  try {
    return JSON.stringify({ error: { code, msg, details } })
  } catch (cause) {
    log().error({ err: cause, code }, 'The details of an error cannot be encoded as JSON')
    return JSON.stringify({ error: { code, msg, details: null } })
  }
}

/**
 * Headers of an error response, in addition to those of every response: those that steps and plugins added, and those of the error, which
 * win. Neither can change the content type, because the body is always the error envelope.
 */
export function toErrorHeaders(error: AppError, added: HeaderList = []): HeaderList {
  const own: (readonly [string, string])[] = []
  for (const [name, value] of Object.entries(error.headers ?? {})) own.push([name.toLowerCase(), value])
  const list = [...added.filter(([name]) => name === 'set-cookie' || !own.some(([other]) => other === name)), ...own]
  if (error.httpStatus === 401 && !list.some(([name]) => name === 'www-authenticate'))
    list.push(['www-authenticate', 'Bearer'])
  return list.filter(([name]) => name !== 'content-type')
}

const upgradeHeaders = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' }

/** 426: the path is for WebSockets only. RFC 9110 (15.5.22) requires the Upgrade header. */
export function upgradeRequired(message?: string): AppError {
  return coreError('upgrade_required', message, { headers: upgradeHeaders })
}
