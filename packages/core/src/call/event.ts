import type { Jsonified } from '../base/jsonified.ts'
import type { AnySchema, InputOf, OutputOf, Schema } from '../base/schema.ts'

/** A package that only the server sends. */
export interface EventDefinition<out Data = unknown, in Sent = never> {
  readonly kind: 'event'
  readonly summary: string
  readonly data: AnySchema
  /** What the event is the state of. `data` as it is sent. */
  key?(data: unknown): string
  /** Of what clients answer to it; null for an event without answers. */
  readonly answer: AnySchema | null
  /** Never set: carries the types. */
  readonly '~event'?: { readonly data: Data; readonly sent: (data: Sent) => void }
}

/** An event that a connection can be asked by: its client answers. `Answer` is what `ask` resolves with, `Reply` what the client sends. */
export interface QuestionDefinition<out Data = unknown, in Sent = never, out Answer = unknown, out Reply = unknown>
  extends EventDefinition<Data, Sent> {
  readonly answer: Schema<Reply, Answer>
}

/** Any event. */
export type AnyEvent = EventDefinition

/** What a publisher passes for `E`. */
export type EventData<E extends AnyEvent> = E extends EventDefinition<unknown, infer Sent> ? Sent : never

interface EventOptions<S extends AnySchema> {
  /** What is sent is projected on it, as a route's result is on its `output`. */
  readonly data: S
  readonly summary?: string
  /**
   * What the event is the state of, for topics with `slow: 'latest'`: of the events that wait for a slow client, a newer one replaces that of the same key.
   * Called for slow clients only, with the data in JSON form.
   *
   * @example
   * event({ data: v.object({ symbol: v.string(), price: v.number() }), key: ({ symbol }) => symbol })
   */
  readonly key?: (data: Jsonified<OutputOf<S>>) => string
}

/** The options without their types. */
interface AnyOptions {
  readonly data: AnySchema
  readonly summary?: string
  readonly answer?: AnySchema
  key?(data: unknown): string
}

/**
 * Declares an event. It becomes a package by its entry in `createApp({ events })`. With `answer`, the schema of what a client answers, a
 * connection can be asked by it: `connection.ask(event, data)`.
 *
 * @example
 * export const authorCreated = event({ data: v.object({ id: v.number(), name: v.string() }) })
 * export const confirm = event({ data: v.object({ text: v.string() }), answer: v.object({ accepted: v.boolean() }) })
 */
export function event<S extends AnySchema, A extends AnySchema>(
  definition: EventOptions<S> & { readonly answer: A },
): QuestionDefinition<OutputOf<S>, InputOf<S>, OutputOf<A>, InputOf<A>>
export function event<S extends AnySchema>(definition: EventOptions<S>): EventDefinition<OutputOf<S>, InputOf<S>>
export function event({ data, summary = '', key, answer }: AnyOptions): EventDefinition {
  return Object.freeze({ kind: 'event', data, summary, answer: answer ?? null, ...(key !== undefined && { key }) })
}
