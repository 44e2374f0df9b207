import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { PermissionDeniedError, UnavailableError, ValidationError } from '../errors/app-error.ts'
import type { MemberPage } from '../hub/broker.ts'
import type { FrameAnswer, RequestFrame } from './client-frames.ts'
import type { FrameCall } from './frame-call.ts'

const pageSize = 100
const maxCursorLength = 1024

/** `{"type":"presence","id","topic","cursor"}`: a page of those who are joined to a topic, for its members. */
export const presenceFrame: RequestFrame = {
  handle({ peer, fields }: FrameCall): MaybePromise<FrameAnswer> {
    const { topic, cursor } = readFields(fields)
    const { hub, topics } = peer.shared
    // Joined is checked first: a client must not learn which topics there are.
    if (!peer.topics.includes(topic) || topics.find(topic)?.presence !== true)
      throw new PermissionDeniedError('Only members may ask who is joined to a topic, if its rule has presence')
    const page = hub.presences.page(topic, cursor, pageSize)
    return isPromise(page) ? page.then(toAnswer, unavailable) : toAnswer(page)
  },
}

function readFields({ topic, cursor = null }: Readonly<Record<string, unknown>>): {
  readonly topic: string
  readonly cursor: string | null
} {
  if (typeof topic !== 'string') throw invalid('topic', 'must be a string')
  if (cursor === null) return { topic, cursor }
  if (typeof cursor !== 'string' || cursor.length > maxCursorLength)
    throw invalid('cursor', 'must be null, or the cursor of the page before')
  return { topic, cursor }
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError(undefined, [{ path, message }])
}

function unavailable(cause: unknown): never {
  throw new UnavailableError('Who is joined cannot be read now: the broker does not answer', { cause })
}

function toAnswer({ members, cursor }: MemberPage): FrameAnswer {
  return {
    type: 'presence',
    members: members.map(({ connection, identity, info }) => ({ connection, identity, info })),
    cursor,
  }
}
