import type { Issue } from '../base/schema.ts'
import { PermissionDeniedError, ValidationError } from '../errors/app-error.ts'
import type { Position, Stream } from '../hub/broker.ts'
import type { RequestFrame } from './client-frames.ts'
import type { FrameCall } from './frame-call.ts'
import type { WireConnection } from './wire.ts'

type Fields = Readonly<Record<string, unknown>>

export const maxTopicBytes = 256
const maxEpochLength = 64

/** Frames of one topic are handled in order: `subscribe` and then `unsubscribe` ends without a subscription. */
const topicLane = ({ topic }: Fields): string | null => (typeof topic === 'string' ? topic : null)

/** `{"type":"subscribe","id":1,"topic":"chat:1","since":{"epoch":"…","offset":12},"presence":true}` */
export const subscribeFrame: RequestFrame = {
  lane: topicLane,
  async handle(frame) {
    const topic = readTopic(frame.fields)
    const since = readSince(frame.fields)
    const isWatching = readPresence(frame.fields)
    const { peer } = frame
    const own = ownStream(peer, topic)
    if (own !== null) {
      if (isWatching) throw noPresence()
      await enter(frame, topic, own, null, since, false)
    } else
      await peer.shared.joins.subscribe(peer, topic, (rule) => {
        if (isWatching && !rule.presence) throw noPresence()
        return enter(frame, topic, { kind: 'topic', topic }, rule, since, isWatching)
      })
    return null
  },
}

/** `{"type":"unsubscribe","id":2,"topic":"chat:1"}` */
export const unsubscribeFrame: RequestFrame = {
  lane: topicLane,
  handle({ fields, peer }) {
    const topic = readTopic(fields)
    peer.shared.hub.leaveStream(peer, ownStream(peer, topic) ?? { kind: 'topic', topic })
    return { type: 'unsubscribed', topic }
  },
}

async function enter(
  frame: FrameCall,
  topic: string,
  stream: Stream,
  rule: Parameters<WireConnection['shared']['hub']['subscribe']>[2],
  since: Position | null,
  isWatching: boolean,
): Promise<void> {
  const { peer } = frame
  if (frame.isAnswered) return
  // What it has joined by itself stays when this frame takes too long.
  if (!peer.topics.includes(topic)) frame.onFail = () => peer.shared.hub.leaveStream(peer, stream)
  await peer.shared.hub.subscribe(peer, stream, rule, since, ({ position, recovered }) => {
    // It took too long, and has been left.
    if (frame.isAnswered) return
    const place = position === null ? {} : { epoch: position.epoch, offset: position.offset }
    frame.answer({ type: 'subscribed', topic, ...place, recovered })
    if (isWatching) peer.shared.hub.presences.watch(peer, topic)
    else peer.shared.hub.presences.unwatch(peer, topic)
  })
}

/** Null for a topic. */
function ownStream({ identity }: WireConnection, name: string): Stream | null {
  if (name === '@all') return { kind: 'all' }
  if (name !== '@me') return null
  if (identity === null) throw new PermissionDeniedError('This connection has no identity, so there is no @me')
  return { kind: 'identity', identityId: identity.id }
}

/** @throws ValidationError */
function readTopic({ topic }: Fields): string {
  if (typeof topic !== 'string' || topic === '') throw invalid('topic', 'must be a string that is not empty')
  if (topic.length > maxTopicBytes || Buffer.byteLength(topic) > maxTopicBytes)
    throw invalid('topic', `must be at most ${maxTopicBytes} bytes in UTF-8`)
  // Half a surrogate pair has no form in UTF-8.
  if (/[\p{Cc}\p{Cs}]/u.test(topic)) throw invalid('topic', 'must not have control characters or half surrogate pairs')
  return topic
}

function readSince({ since }: Fields): Position | null {
  if (since === undefined || since === null) return null
  if (typeof since !== 'object' || Array.isArray(since))
    throw invalid('since', 'must be an object { epoch, offset }, as subscribed and events have them')
  const { epoch, offset }: { epoch?: unknown; offset?: unknown } = since
  if (typeof epoch !== 'string' || epoch === '' || epoch.length > maxEpochLength)
    throw invalid('since.epoch', `must be a string of 1 to ${maxEpochLength} characters`)
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0)
    throw invalid('since.offset', 'must be an integer of at least 0')
  return { epoch, offset }
}

function readPresence({ presence = false }: Fields): boolean {
  if (typeof presence !== 'boolean') throw invalid('presence', 'must be true or false')
  return presence
}

function noPresence(): PermissionDeniedError {
  return new PermissionDeniedError('This topic has no presence')
}

function invalid(path: Issue['path'], message: string): ValidationError {
  return new ValidationError(undefined, [{ path, message }])
}
