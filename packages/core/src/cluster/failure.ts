import { BootError, type BootErrorCode } from '../base/boot-error.ts'
import { bootErrorCodes } from '../base/boot-error-codes.ts'
import type { Failure } from './messages.ts'

export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: null, message: String(error), stack: String(error) }
  const code = error instanceof BootError ? error.code : null
  return { code, message: error.message, stack: error.stack ?? error.message }
}

/** The error as the worker had it: a BootError, or one with the stack of the worker. */
export function fromFailure({ code, message, stack }: Failure): Error {
  if (code !== null && isBootErrorCode(code)) return new BootError(code, message)
  const error = new Error(message)
  error.stack = stack
  return error
}

const isBootErrorCode = (code: string): code is BootErrorCode =>
  Object.hasOwn(bootErrorCodes, code) || code.includes('.')
