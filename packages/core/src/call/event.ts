import type { AnySchema, InputOf, OutputOf } from '../base/schema.ts'

/** A package that only the server sends. */
export interface EventDefinition<out Data = unknown, in Sent = never> {
  readonly kind: 'event'
  readonly summary: string
  readonly data: AnySchema
  /** Never set: carries the types. */
  readonly '~event'?: { readonly data: Data; readonly sent: (data: Sent) => void }
}

/** Any event. */
export type AnyEvent = EventDefinition

/** What a publisher passes for `E`. */
export type EventData<E extends AnyEvent> = E extends EventDefinition<unknown, infer Sent> ? Sent : never

/**
 * Declares an event. It becomes a package by its entry in `createApp({ events })`.
 *
 * @example
 * export const authorCreated = event({ data: v.object({ id: v.number(), name: v.string() }) })
 */
export function event<S extends AnySchema>(definition: {
  /** What is sent is projected on it, as a route's result is on its `output`. */
  readonly data: S
  readonly summary?: string
}): EventDefinition<OutputOf<S>, InputOf<S>> {
  return Object.freeze({ kind: 'event', data: definition.data, summary: definition.summary ?? '' })
}
