import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'
import { AppError, type AppErrorOptions } from './app-error.ts'
import { type ErrorCode, rspCodeOf } from './codes.ts'
import { RSPCode } from './status.ts'

/** An error of the application. */
export interface ErrorDefinition {
  readonly httpStatus: number
  readonly message: string
  /** `status_code` of the reply package. Default: that of core's codes with this `httpStatus` (409 is `INVALID_DATA`, 403 `PERMISSION_DENIED`), else `ERROR`. */
  readonly status?: RSPCode
  /** Default false. */
  readonly retry?: boolean
}

/** Creates errors of one code. List it in a route's `errors` to declare that the route may answer with it. */
export interface ErrorFactory<Code extends string = string> {
  (message?: string, options?: AppErrorOptions): AppError
  readonly code: Code
  readonly row: ErrorCode
}

const rules = {
  httpStatus: option.integer({ min: 400, max: 599, required: true }),
  message: option.string({ expects: 'a string', test: () => true, required: true }),
  status: option.choice(Object.values(RSPCode)),
  retry: option.flag({ default: false }),
} satisfies OptionRules<ErrorDefinition>

/**
 * Declares errors under a namespace. Two factories with the same code in one app are a boot error.
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
    const {
      httpStatus,
      message,
      retry,
      status = rspCodeOf(httpStatus),
    } = checkOptions('defineErrors()', definition, rules, code)
    const row: ErrorCode = { status, httpStatus, message, retry }
    const create = (message?: string, options?: AppErrorOptions): AppError => new AppError(code, row, message, options)
    factories[name] = Object.assign(create, { code, row })
  }
  // The loop above creates a factory for each name, which a Record cannot express.
  return Object.freeze(factories) as {
    readonly [Name in keyof Definitions & string]: ErrorFactory<`${Namespace}.${Name}`>
  }
}
