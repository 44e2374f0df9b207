import type { Jsonified } from '../base/jsonified.ts'
import type { Schema } from '../base/schema.ts'
import type { Sendable } from '../base/sendable.ts'
import type { AnyEvent, EventDefinition } from '../call/event.ts'
import type { ItemStream } from '../call/item-stream.ts'
import type { Route, RouteForm } from './route.ts'
import type { HttpFields } from './route-types.ts'

/**
 * What a client sends to a route: the input of its schema, where a Date, a bigint or bytes may also be the text that goes over the wire.
 *
 * @example
 * const find = route({ input: v.object({ since: v.date() }), handler: () => null })
 * const input: SentTo<typeof find> = { since: '2024-02-29T12:00:00Z' } // or: new Date()
 */
export type SentTo<R> = R extends Route<infer Input, unknown, RouteForm> ? Sendable<Input> : never
/** What a client sends to it over HTTP: the same, or the fields that its `http.input` maps to the input. */
export type SentOverHttp<R> =
  R extends Route<infer Input, unknown, infer Form> ? ('mapped' extends Form ? HttpFields : Sendable<Input>) : never
/** The result of a route, as a client receives it; never for a streamed reply. */
export type AnswerOf<R> =
  R extends Route<unknown, infer Output, 'value' | 'mapped'>
    ? [Output] extends [ItemStream<unknown>]
      ? never
      : Jsonified<Output>
    : never
/** An item of a streamed reply, as a client receives it; never for another reply. */
export type ItemOf<R> = R extends Route<unknown, infer Output, 'value' | 'mapped'> ? JsonifiedItem<Output> : never
type JsonifiedItem<Output> = [Output] extends [ItemStream<infer Item>] ? Jsonified<Item> : never
/**
 * The codes of the errors that a route declares, never where it declares none. Any call may fail with a code of core too, `CoreErrorCode`, or with
 * one that a plugin or the route did not declare.
 */
export type ErrorCodeOf<R> =
  R extends Route<unknown, unknown, RouteForm, infer Codes> ? (string extends Codes ? never : Codes) : never
/** The data of an event, as a client receives it. */
export type ReceivedData<E extends AnyEvent> = E extends EventDefinition<infer Data> ? Jsonified<Data> : never
/** What a client answers to a question, an event with `answer`, in the form of {@link SentTo}; never for another event. */
export type AnswerTo<E extends AnyEvent> = E['answer'] extends Schema<infer Answer, unknown> ? Sendable<Answer> : never
/** The arguments of a call: none for a route without input; optional where the input is. */
export type InputArguments<Input> = [Input] extends [undefined]
  ? []
  : Record<never, never> extends Input
    ? [input?: Input]
    : [input: Input]
