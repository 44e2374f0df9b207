import type { AnyEvent, EventDefinition } from '../router/event.ts'
import type { Route } from '../router/route.ts'
import type { Jsonified } from '../util/jsonified.ts'

/** What a caller sends to a route. */
export type SentTo<R> = R extends Route<infer Input, unknown> ? Input : never
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

/** A call was answered with an error. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: string
  readonly msg: string
  readonly details: unknown
  /** `status_code` of the reply package; over HTTP the status of the response. */
  readonly status: number

  constructor(status: number, error: { readonly code: string; readonly msg: string; readonly details: unknown }) {
    super(`${error.code}: ${error.msg}`)
    this.status = status
    this.code = error.code
    this.msg = error.msg
    this.details = error.details
  }
}

/** The app's table says what comes back for a name; on the wire it is JSON like any other. */
export function arrived<T>(value: unknown): T {
  return value as T
}
