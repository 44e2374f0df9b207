import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { ErrorMapper } from '../errors/normalize.ts'
import type { ActiveCall } from './active-call.ts'
import type { CallOutcome } from './call-outcome.ts'
import type { Deadlines } from './deadlines.ts'
import type { ErrorLink } from './error-link.ts'
import type { AnyEvent } from './event.ts'
import type { Audience, Publication } from './publication.ts'
import type { Rejections } from './rejections.ts'
import type { CookieRules } from './set-cookie.ts'
import type { Tracer } from './tracer.ts'

/** The hub, as calls use it. */
export interface CallHub {
  /** Encodes the data now; throws for an unknown event, an undeclared topic, and data that does not fit. */
  prepare(audience: Audience, event: AnyEvent, data: unknown, cause: string | null): Publication
  send(publication: Publication): void
}

/** Called for every call that has ended. */
export interface AccessLogger {
  (call: ActiveCall, outcome: CallOutcome): void
  /** May it write a line for a success? */
  logsSuccesses(): boolean
  /** A WebSocket that was not opened, or was closed before it was admitted. `isFault`: of the server. */
  refused(fields: RefusedConnection, isFault: boolean): void
}

/** As the fields of its line. */
export type RefusedConnection = { readonly address: string; readonly reason: string } & (
  | { readonly request_id: string; readonly status_code: number; readonly code: string }
  | { readonly connection_id: string; readonly close_code: number }
)

/** What every call of an app shares. */
export interface CallServices {
  readonly clock: Clock
  readonly log: Logger
  readonly hub: CallHub
  readonly deadlines: Deadlines
  /** How long a deadline or a drain waits for the answer to a commit. */
  readonly commitTimeoutMs: number
  /** A call that was answered with `outcome_unknown` has ended. */
  countLateOutcome(succeeded: boolean): void
  /** The port of the app speaks TLS. Known once it listens. */
  usesTls: boolean
  readonly cookies: CookieRules
  readonly rejections: Pick<Rejections, 'dropped'>
  readonly errorMappers: readonly ErrorMapper[]
  /** Null when no plugin listens. */
  onCall: ((call: ActiveCall) => void) | null
  /** Null when no plugin listens. */
  onReply: ((call: ActiveCall, outcome: CallOutcome) => void) | null
  /** Whether a hook may read the address of a call after it has succeeded: all but those of `onReply` that promise not to. */
  hooksReadAddress: boolean
  /** Null when calls are not logged. */
  readonly access: AccessLogger | null
  /** Ends messages of errors; null outside of development. */
  readonly errorLink: ErrorLink | null
  /** `currentCall()` works. */
  readonly asyncContext: boolean
  /** Null when no plugin traces. */
  tracer: Tracer | null
  /** Set during a drain: called whenever a call, a queued frame or tracked work has ended. */
  onWorkEnd: (() => void) | null
  /** Work that continues after the reply: the drain waits for it. */
  track(work: Promise<unknown>): void
}
