import type { CoreBootErrorCode } from './boot-error-codes.ts'

/** Why an application does not start: a code of core, or of a plugin or an application under a namespace (`ratelimit.unknown_store`). */
export type BootErrorCode = CoreBootErrorCode | `${string}.${string}`

/**
 * The application cannot start because of its code or configuration. The message says what to change.
 *
 * @example
 * throw new BootError('billing.unknown_provider', `billing(): provider '${name}' is not known: use one of ${known.join(', ')}`)
 */
export class BootError extends Error {
  override readonly name = 'BootError'
  readonly code: BootErrorCode

  constructor(code: BootErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
