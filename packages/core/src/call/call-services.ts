import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { ErrorMapper } from '../errors/normalize.ts'
import type { ActiveCall } from './active-call.ts'
import type { CallOutcome } from './call-outcome.ts'
import type { Deadlines } from './deadlines.ts'
import type { AnyEvent } from './event.ts'
import type { Audience, Publication } from './publication.ts'
import type { Rejections } from './rejections.ts'

/** What a call publishes through. */
export interface CallHub {
  /** Encodes the data now; throws for an unknown event, an undeclared topic, and data that does not fit. */
  prepare(audience: Audience, event: AnyEvent, data: unknown): Publication
  send(publication: Publication): void
}

/** Called for every call that has ended. */
export type AccessLogger = (call: ActiveCall, outcome: CallOutcome) => void

/** What every call of an app shares. */
export interface CallServices {
  readonly clock: Clock
  readonly log: Logger
  readonly hub: CallHub
  readonly deadlines: Deadlines
  /** How long a deadline or a drain waits for what was sent to be committed. */
  readonly commitTimeoutMs: number
  /** A call that was answered with `outcome_unknown` has ended. */
  endedLate(succeeded: boolean): void
  readonly rejections: Pick<Rejections, 'dropped'>
  readonly errorMappers: readonly ErrorMapper[]
  /** Null when no plugin listens. */
  onCall: ((call: ActiveCall) => void) | null
  /** Null when no plugin listens. */
  onReply: ((call: ActiveCall, outcome: CallOutcome) => void) | null
  /** Null when no call gets a line. */
  readonly access: AccessLogger | null
  /** `currentCall()` is asked for. */
  readonly asyncContext: boolean
  /** The drain waits: is told whenever a call that was in flight, a held frame or tracked work has ended. Null otherwise. */
  onWorkEnd: (() => void) | null
  /** Work that outlives its call's answer: the drain waits for it. */
  track(work: Promise<unknown>): void
}
