import { BootError } from '../base/boot-error.ts'
import { AppError, type AppErrorOptions } from './app-error.ts'
import { type ErrorCode, rspCodeOf } from './codes.ts'
import type { RSPCode } from './status.ts'

/** What an application says of one error of its own. */
export interface ErrorDefinition {
  readonly httpStatus: number
  readonly message: string
  /** Of the reply package. Default: that of core's own codes with this `httpStatus` (409 is `INVALID_DATA`, 403 `PERMISSION_DENIED`), else `ERROR`. */
  readonly status?: RSPCode
  /** Default false. */
  readonly retry?: boolean
}

/** Makes errors of one code; name it in a route's `errors` to declare that the route may answer it. */
export interface ErrorFactory<Code extends string = string> {
  (message?: string, options?: AppErrorOptions): AppError
  readonly code: Code
  readonly row: ErrorCode
}

/**
 * Declares errors under a namespace. Two factories of one code in one app are a boot error.
 *
 * @example
 * const billing = defineErrors('billing', { card_declined: { httpStatus: 402, message: 'The card was declined' } })
 * throw billing.card_declined(undefined, { details: { reason: 'expired' } }) // code: 'billing.card_declined'
 */
export function defineErrors<const Namespace extends string, const Definitions extends Record<string, ErrorDefinition>>(
  namespace: Namespace,
  definitions: Definitions,
): { readonly [Name in keyof Definitions & string]: ErrorFactory<`${Namespace}.${Name}`> } {
  const factories: Record<string, ErrorFactory> = {}
  for (const [name, definition] of Object.entries(definitions)) {
    const code = `${namespace}.${name}`
    const { httpStatus } = definition
    if (!Number.isInteger(httpStatus) || httpStatus < 400 || httpStatus > 599)
      throw new BootError('bad_option', `The error '${code}' has an httpStatus from 400 to 599, not ${httpStatus}`)
    const { status = rspCodeOf(httpStatus), message, retry = false } = definition
    const row: ErrorCode = { status, httpStatus, message, retry }
    const create = (message?: string, options?: AppErrorOptions): AppError => new AppError(code, row, message, options)
    factories[name] = Object.assign(create, { code, row })
  }
  // The loop above made one factory for each name: what the mapped type says, which a Record cannot.
  return Object.freeze(factories) as {
    readonly [Name in keyof Definitions & string]: ErrorFactory<`${Namespace}.${Name}`>
  }
}
