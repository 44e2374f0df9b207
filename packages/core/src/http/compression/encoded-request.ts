import { type AppError, coreError } from '../../errors/app-error.ts'
import type { RequestHead } from '../../transport/transport.ts'

/**
 * Why a body that core reads is refused: it is encoded. Core never decodes one, because few bytes may become very many. Null for one that can be
 * read. The answer says what is accepted instead (RFC 9110, 15.5.16).
 */
export function refuseEncoded(request: RequestHead): AppError | null {
  const encoding = request.header('content-encoding')
  if (encoding === '' || encoding.toLowerCase() === 'identity') return null
  return coreError(
    'unsupported_media_type',
    'Content-Encoding is not supported: send the body as it is, without that header',
    { headers: { 'accept-encoding': 'identity' } },
  )
}
