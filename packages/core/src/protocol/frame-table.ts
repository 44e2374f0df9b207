// The words of the page about the protocol: docs_site/wire-protocol.md is written from these. Nothing at run time reads them.
import type { CoreErrorCode } from '../errors/codes.ts'
import type { CoreFrameType } from './frame.ts'

interface ClientFrame {
  /** How the frame is sent, in Markdown. */
  readonly sent: string
  readonly answer: string
}

/** What a client may send besides packages, `auth` excepted. */
export const clientFrames: Readonly<Record<CoreFrameType, ClientFrame>> = {
  subscribe: {
    sent: '`{"type":"subscribe","id":1,"topic":"chat:1"}`; to resume with `"since":{"epoch":"k3v","offset":12}`; with `"presence":true` to get `joined` and `left`',
    answer:
      'what was missed, then `{"type":"subscribed","id":1,"topic":"chat:1","epoch":"k3v","offset":17,"recovered":true}`. Without history there is no `epoch` and no `offset`',
  },
  unsubscribe: {
    sent: '`{"type":"unsubscribe","id":2,"topic":"chat:1"}`',
    answer: '`{"type":"unsubscribed","id":2,"topic":"chat:1"}`, also for a topic that was not joined',
  },
  presence: {
    sent: '`{"type":"presence","id":3,"topic":"chat:1","cursor":null}`',
    answer:
      '`{"type":"presence","id":3,"members":[{"connection":"c-1","identity":"u-7","info":null}],"cursor":null}`: pages of 100, for members of a topic with presence. The first has the one that asks, unless the broker could not be reached. A `cursor` that is not null is that of the next page',
  },
  ping: {
    sent: '`{"type":"ping","id":4}`',
    answer: '`{"type":"pong","id":4}`: browsers cannot see the pings of RFC 6455',
  },
  cancel: {
    sent: '`{"type":"cancel","req_id":"5f0c2a54-6f3e-4f1e-9a0d-3f6f3c0f9d11"}`',
    answer: 'the last package of [that reply](#streamed-replies)',
  },
  answer: {
    sent: '`{"type":"answer","req_id":"5f0c2a54-6f3e-4f1e-9a0d-3f6f3c0f9d11","data":{"accepted":true}}`',
    answer: 'none; [a question](#questions) is answered',
  },
}

/** What a server sends unasked, by type. */
export const serverFrames: Readonly<Record<string, { readonly frame: string; readonly when: string }>> = {
  auth_ok: {
    frame: '`{"type":"auth_ok","identity":"u-7","expires_at":1790000000,"max_message_bytes":262144}`',
    when: 'the [handshake](#handshake) has succeeded, or a renewal',
  },
  auth_expiring: { frame: '`{"type":"auth_expiring","expires_at":1790000000}`', when: 'send a new token' },
  unsubscribed: {
    frame: '`{"type":"unsubscribed","topic":"chat:1","code":"permission_denied"}`',
    when: 'a renewal or a refresh took the right away',
  },
  joined: {
    frame:
      '`{"type":"joined","topic":"chat:1","member":{"connection":"c-1","identity":"u-7","info":null}}`, and `left`',
    when: 'to those that asked for presence. A `joined` of a known member replaces it',
  },
  gap: {
    frame: '`{"type":"gap","topic":"chat:1","epoch":"k3v","offset":20}`',
    when: 'publications may have been lost: load the state. It goes on after this position',
  },
  closing: {
    frame: '`{"type":"closing","reconnect_after_ms":[0,20000]}`',
    when: 'before the close with 1012, to connections that have sent `subscribe`: connect again at a random time of this window',
  },
}

/** Why a control frame is answered with a code. */
export const frameFailures: Readonly<Partial<Record<CoreErrorCode, string>>> = {
  validation_error:
    '`details` names the field: `id`, `topic` (not empty, at most 256 bytes, no control characters), `since`, `presence`, `cursor`, `req_id`',
  permission_denied:
    'no rule of the app names the topic, its rule does not have `subscribe: true`, or refuses; `@me` without an identity; presence of a topic that has none, or that is not joined',
  conflict:
    'the connection has joined [`websocket.maxTopics`](#limits) topics; or the topic was left before it was joined',
  too_many_in_flight: 'more than `websocket.maxInFlight` calls and control frames at once',
  deadline_exceeded: 'it took longer than [its limit](#limits), and nothing is joined',
  unavailable: 'the broker cannot promise to deliver the topic now, or the app closes',
}
