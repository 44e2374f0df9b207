import type { Jsonified } from '../base/jsonified.ts'
import type { AnyEvent, EventDefinition } from '../call/event.ts'
import { AppError } from '../errors/app-error.ts'
import type { RSPCode } from '../errors/status.ts'
import type { Route, RouteForm } from '../route/route.ts'
import type { HttpFields } from '../route/route-types.ts'

/** What a caller sends to a route. */
export type SentTo<R> = R extends Route<infer Input, unknown, RouteForm> ? Input : never
/** What a caller sends to it over HTTP: the same, or what its `http.input` makes the input of. */
export type SentOverHttp<R> =
  R extends Route<infer Input, unknown, infer Form> ? ('mapped' extends Form ? HttpFields : Input) : never
/** What a caller gets back, as it is after the wire. */
export type AnswerOf<R> = R extends Route<unknown, infer Output> ? Jsonified<Output> : never
/** Data of an event, as it arrives. */
export type Arrived<E extends AnyEvent> = E extends EventDefinition<infer Data> ? Jsonified<Data> : never
/** A route without input takes none; one whose input may be left out, maybe. */
export type InputArguments<Input> = [Input] extends [undefined]
  ? []
  : Record<never, never> extends Input
    ? [input?: Input]
    : [input: Input]

/** What an error answer says, on either wire. */
export interface ErrorAnswer {
  readonly code: string
  readonly msg: string
  readonly details: unknown
}

/** A call was answered with an error: the same one on both wires. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: string
  readonly msg: string
  readonly details: unknown
  /** `status_code` of the reply package: what a call of the same error is answered with over WebSocket. */
  readonly rspCode: RSPCode
  /** Status of the response: what a call of the same error is answered with over HTTP. */
  readonly httpStatus: number
  /** What was thrown in the app, when it runs in this process: for an `internal_error` what the client is not told. */
  override readonly cause: unknown

  constructor(
    { code, msg, details }: ErrorAnswer,
    statuses: { readonly rspCode: RSPCode; readonly httpStatus: number },
    cause?: unknown,
  ) {
    const reason = cause === undefined || AppError.is(cause) ? '' : `, because of ${String(cause)}`
    super(`${code}: ${msg}${reason}`)
    this.code = code
    this.msg = msg
    this.details = details
    this.rspCode = statuses.rspCode
    this.httpStatus = statuses.httpStatus
    this.cause = cause
  }
}

/** The app's table says what comes back for a name; on the wire it is JSON like any other. */
export function arrived<T>(value: unknown): T {
  return value as T
}
