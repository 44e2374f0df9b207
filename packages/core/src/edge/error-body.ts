import type { Logger } from '../base/logger.ts'
import type { AppError } from '../errors/app-error.ts'
import type { HeaderList } from '../transport/transport.ts'

/** The one error envelope of HTTP. Details that have no JSON form are left out, and logged. */
export function toErrorBody({ code, message: msg, details }: AppError, log: () => Logger): string {
  try {
    return JSON.stringify({ error: { code, msg, details } })
  } catch (cause) {
    log().error({ err: cause, code }, 'The details of an error have no JSON form')
    return JSON.stringify({ error: { code, msg, details: null } })
  }
}

/**
 * What an error answer adds to the headers of every response: what steps and plugins added, under what the error itself carries.
 * Neither changes the content type: whatever the answer was to be, it is the envelope now.
 */
export function toErrorHeaders(error: AppError, added: HeaderList = []): HeaderList {
  const own: (readonly [string, string])[] = []
  for (const [name, value] of Object.entries(error.headers ?? {})) own.push([name.toLowerCase(), value])
  const list = [...added.filter(([name]) => !own.some(([other]) => other === name)), ...own]
  if (error.httpStatus === 401 && !list.some(([name]) => name === 'www-authenticate'))
    list.push(['www-authenticate', 'Bearer'])
  return list.filter(([name]) => name !== 'content-type')
}
