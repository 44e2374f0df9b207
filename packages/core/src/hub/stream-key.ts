import type { Stream } from './broker.ts'
import type { HubConnection } from './connection.ts'

/** A string for each stream: `:news` of a topic, `@7` of an identity, `*` of all. */
export function streamKey(stream: Stream): string {
  if (stream.kind === 'topic') return `:${stream.topic}`
  return stream.kind === 'identity' ? `@${stream.identityId}` : '*'
}

/** What a client calls it: the topic, `@me` or `@all`. */
export function streamName(stream: Stream): string {
  if (stream.kind === 'topic') return stream.topic
  return stream.kind === 'identity' ? '@me' : '@all'
}

/** Those that a client names `@me` and `@all`. */
export function ownStreams({ identity }: Pick<HubConnection, 'identity'>): readonly Stream[] {
  return identity === null ? [{ kind: 'all' }] : [{ kind: 'identity', identityId: identity.id }, { kind: 'all' }]
}
