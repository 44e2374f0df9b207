import type { AccessLogger } from '../app/access-log.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { ErrorMapper } from '../errors/normalize.ts'
import type { ConnectionHub } from '../hub/hub.ts'
import type { CallOutcome } from '../plugin/host.ts'
import type { ActiveCall } from './active-call.ts'
import type { Deadlines } from './deadlines.ts'
import type { Rejections } from './rejections.ts'

/** What every call of an app shares. */
export interface CallServices {
  readonly clock: Clock
  readonly log: Logger
  readonly hub: Pick<ConnectionHub, 'prepare' | 'send'>
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
