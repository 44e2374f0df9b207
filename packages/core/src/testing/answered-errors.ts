import { type AppError, InternalError } from '../errors/app-error.ts'
import { errorCodes, rspCodeOf } from '../errors/codes.ts'
import { RSPCode } from '../errors/status.ts'
import type { Plugin } from '../plugin/plugin.ts'
import type { AnyRoute } from '../route/route.ts'
import { CallError, type ErrorAnswer } from './answers.ts'

/** Errors that an app in this process has answered calls with, by the id of the call. */
export interface AnsweredErrors {
  /** Collects them. */
  readonly plugin: Plugin
  find(callId: string): AppError | undefined
}

/** Errors kept: more than the answers that a test has not read yet. */
const maxKept = 1000

export function watchAnsweredErrors(): AnsweredErrors {
  const errors = new Map<string, AppError>()
  return {
    plugin: {
      name: 'test-answered-errors',
      setup(host) {
        host.onReply((call, { error }) => {
          if (error === null) return
          errors.delete(call.id)
          errors.set(call.id, error)
          for (const oldest of errors.keys()) {
            if (errors.size <= maxKept) break
            errors.delete(oldest)
          }
        })
      },
    },
    find: (callId) => errors.get(callId),
  }
}

/** An error answer: its content, and the status of the wire on which it was received. */
export interface ReceivedError {
  /** Null: not known. */
  readonly callId: string | null
  readonly answer: ErrorAnswer
  readonly rspCode?: number | undefined
  readonly httpStatus?: number
}

/**
 * The same error for both wires: the error that the app has thrown; else (an app that `createTestApp` did not create) the row of its code in
 * the tables of errors; else the usual status of the other wire.
 */
export function toCallError(
  { callId, answer, rspCode, httpStatus }: ReceivedError,
  answered: AnsweredErrors | undefined,
  route: AnyRoute | undefined,
): CallError {
  const error = callId === null ? undefined : answered?.find(callId)
  if (error !== undefined && error.code === answer.code) {
    const cause = error instanceof InternalError ? error.cause : error
    return new CallError(answer, { rspCode: error.status, httpStatus: error.httpStatus }, cause)
  }
  const declared = route?.definition.errors.find(({ code }) => code === answer.code)?.row
  const row = declared ?? Object.entries(errorCodes).find(([code]) => code === answer.code)?.[1]
  if (row !== undefined) return new CallError(answer, { rspCode: row.status, httpStatus: row.httpStatus })
  if (httpStatus !== undefined) return new CallError(answer, { rspCode: rspCodeOf(httpStatus), httpStatus })
  const known = Object.values(RSPCode).find((code) => code === rspCode) ?? RSPCode.ERROR
  return new CallError(answer, { rspCode: known, httpStatus: usualHttpStatus[known] })
}

const usualHttpStatus: Readonly<Record<RSPCode, number>> = {
  [RSPCode.OK]: 200,
  [RSPCode.ERROR]: 500,
  [RSPCode.INVALID_DATA]: 422,
  [RSPCode.PERMISSION_DENIED]: 403,
}
