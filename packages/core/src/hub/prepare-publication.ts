import type { AnyEvent } from '../call/event.ts'
import type { Audience, Publication } from '../call/publication.ts'
import type { WireInput } from '../route/wire-input.ts'
import type { TopicTable } from './topic.ts'

/** A compiled event. */
export interface CompiledEvent {
  readonly pkgId: number
  /** Projects data on the event's schema. Throws for data that does not fit it. */
  readonly toData: (data: unknown) => unknown
  /** How the answer of a client comes from the wire; null for one that the schema takes as it was decoded. */
  readonly answer: WireInput | null
}

export interface PrepareOptions {
  readonly topics: TopicTable
  /** Can connections have an identity? Only with a plugin that provides identities. */
  readonly hasIdentities: () => boolean
  /** Undefined for an event that the app does not list. */
  readonly findEvent: (event: AnyEvent) => CompiledEvent | undefined
  readonly onError: (error: unknown) => void
}

/** Projects the data at once. Throws for an event or a topic that the app does not declare, and for data that does not fit. */
export function preparePublication(
  { findEvent, topics, hasIdentities, onError }: PrepareOptions,
  audience: Audience,
  event: AnyEvent,
  data: unknown,
  cause: string | null,
): Publication {
  const compiled = findEvent(event)
  if (compiled === undefined) throw unknownEvent(event)
  if (audience.kind === 'topic' && topics.find(audience.topic) === null)
    throw new Error(
      `The topic '${audience.topic}' has no rule, so no connection can join it: add a rule to createApp({ topics })`,
    )
  if (audience.kind === 'identity' && !hasIdentities())
    throw new Error(
      'sendTo needs connections with an identity, and no plugin provides identities: add auth() of @twinwire/plugin-auth to plugins, or another plugin that does',
    )
  try {
    return { audience, pkgId: compiled.pkgId, data: compiled.toData(data), cause }
  } catch (error) {
    onError(error)
    throw error
  }
}

export function unknownEvent(event: AnyEvent): Error {
  if (event?.kind !== 'event') return new Error('The published event was not made by event(…)')
  const name = event.summary === '' ? 'This event' : `The event '${event.summary}'`
  return new Error(
    `${name} is not an event of the app: add it to createApp({ events }), or in a plugin with host.event(…)`,
  )
}
