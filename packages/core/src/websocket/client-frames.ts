import type { MaybePromise } from '../base/maybe-promise.ts'
import type { CoreFrameType } from '../protocol/frame.ts'
import type { FrameCall } from './frame-call.ts'
import { presenceFrame } from './presence-frame.ts'
import { answerFrame, cancelFrame } from './reply-frames.ts'
import { subscribeFrame, unsubscribeFrame } from './subscribe-frames.ts'

/** A control frame, which runs as a call of its connection. */
export interface RequestFrame {
  /** The field that names the frame in its answer. Default `id`: an integer or a string. `req_id`: a UUID. */
  readonly idField?: 'req_id'
  /** Frames of one connection with an equal lane are handled one after the other. Left out or null: at once. */
  readonly lane?: (fields: Readonly<Record<string, unknown>>) => string | null
  /**
   * Returns the answer without its `id`; null if it has been sent by `frame.answer`, or if there is none. What it throws is answered as `error`; a
   * field of the wrong type is a ValidationError.
   */
  readonly handle: (frame: FrameCall) => MaybePromise<FrameAnswer | null>
  /** Default false: it is answered with `unavailable` while the app closes. */
  readonly servesWhileDraining?: boolean
  /** It ends other calls of the connection, so `maxInFlight` does not hold it back. Default false. */
  readonly endsCalls?: boolean
}

export interface FrameAnswer {
  readonly type: string
  readonly [field: string]: unknown
}

/** Control frames of core, by type. Plugins cannot register these types. */
export const clientFrames: { readonly [Type in CoreFrameType]?: RequestFrame } = {
  subscribe: subscribeFrame,
  unsubscribe: unsubscribeFrame,
  // Browsers cannot see the pings of the protocol.
  ping: { handle: () => ({ type: 'pong' }), servesWhileDraining: true },
  presence: presenceFrame,
  cancel: cancelFrame,
  answer: answerFrame,
}
