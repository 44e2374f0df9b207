import { BootError, type BootErrorCode, withDocs } from '../base/boot-error.ts'
import { bootErrorCodes } from '../base/boot-error-codes.ts'
import type { Failure } from './messages.ts'

export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: null, message: String(error), stack: String(error), docs: null }
  const { message, stack = message } = error
  const isBootError = error instanceof BootError
  return { code: isBootError ? error.code : null, message, stack, docs: isBootError ? error.docs : null }
}

/** The error as the worker had it: a BootError, or one with the stack of the worker. */
export function fromFailure({ code, message, stack, docs }: Failure): Error {
  if (code !== null && isBootErrorCode(code)) return withDocs(new BootError(code, message), docs)
  const error = new Error(message)
  error.stack = stack
  return error
}

const isBootErrorCode = (code: string): code is BootErrorCode =>
  Object.hasOwn(bootErrorCodes, code) || code.includes('.')
