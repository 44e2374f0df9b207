import type { ServerSentEvent } from '../protocol/server-sent-events.ts'
import type { ReplyCookies } from './cookies.ts'
import type { ReplyHeadersInit } from './reply.ts'

/** The publications of a topic, as server-sent events. */
export interface TopicSource {
  readonly topic: string
}

/** What `reply.events` sends: events of an iterable, or the publications of a topic. */
export type EventsSource = AsyncIterable<ServerSentEvent> | (Iterable<ServerSentEvent> & object) | TopicSource

/** Options of `reply.events`. */
export interface EventsOptions {
  /** A client that was sent nothing for so long gets a comment: milliseconds, 1000 to 600,000, 0 for none. Default 15,000. */
  readonly heartbeatMs?: number
  /** How long a client waits before it comes back, which it is told first: milliseconds, 0 to 3,600,000. Default 3000. */
  readonly retryMs?: number
  /** In addition to those of server-sent events, which win. */
  readonly headers?: ReplyHeadersInit
  /** As those of any reply. */
  readonly cookies?: ReplyCookies
}

/** `EventsOptions`, checked, and the source. */
export interface EventsResult {
  readonly source: EventsSource
  readonly heartbeatMs: number
  readonly retryMs: number
}

/**
 * @throws RangeError for a number that is not allowed
 * @throws TypeError for a source that is none
 */
export function toEventsResult(source: EventsSource, options: EventsOptions): EventsResult {
  const { heartbeatMs = 15_000, retryMs = 3000 } = options
  if (!(isInteger(heartbeatMs, 1000, 600_000) || heartbeatMs === 0))
    throw new RangeError(
      `reply.events: heartbeatMs must be 0 or an integer from 1000 to 600000 (milliseconds), not ${heartbeatMs}`,
    )
  if (!isInteger(retryMs, 0, 3_600_000))
    throw new RangeError(`reply.events: retryMs must be an integer from 0 to 3600000 (milliseconds), not ${retryMs}`)
  if (typeof source !== 'object' || source === null || !(isTopicSource(source) || isIterable(source)))
    throw new TypeError('reply.events needs an iterable of { id, event, data }, or { topic }')
  return { source, heartbeatMs, retryMs }
}

export function isTopicSource(source: EventsSource): source is TopicSource {
  return 'topic' in source && typeof source.topic === 'string' && !isIterable(source)
}

function isIterable(source: object): boolean {
  return Symbol.asyncIterator in source || Symbol.iterator in source
}

function isInteger(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}
