import type { Logger } from '../base/logger.ts'
import type { AppError } from '../errors/app-error.ts'
import { errorCodes } from '../errors/codes.ts'
import type { Codec } from '../protocol/codec.ts'

/** The reply package of an error. Details that cannot be encoded are left out, which is logged. */
export function encodeError(
  codec: Codec,
  pkgId: number,
  reqId: string,
  { code, status, message, details }: AppError,
  link: ((code: string) => string) | null,
  log: Logger,
): string | Uint8Array {
  const isDefault = code === 'permission_denied' && message === errorCodes.permission_denied.message
  const own = isDefault ? `No permission for pkg_id ${pkgId}` : message
  const msg = link === null ? own : `${own}${link(code)}`
  try {
    return codec.encodeReply(pkgId, reqId, status, null, { code, msg, details })
  } catch (cause) {
    log.error({ err: cause, code }, 'The details of an error cannot be encoded')
    return codec.encodeReply(pkgId, reqId, status, null, { code, msg, details: null })
  }
}
