import type { DropListener } from '../base/drop-safe.ts'
import type { Logger } from '../base/logger.ts'
import type { AppError } from '../errors/app-error.ts'
import { DeadlineExceededError, InternalError, OutcomeUnknownError } from '../errors/app-error.ts'
import { isMapped, toAppError } from '../errors/normalize.ts'
import type { Call, CallConnection, RouteInfo, Wire } from './call.ts'
import { callFields } from './call-fields.ts'
import type { CallOutcome } from './call-outcome.ts'
import type { CallServices } from './call-services.ts'
import { CallerConnection } from './caller-connection.ts'
import type { CompiledRoute } from './compiled-route.ts'
import type { Deadline } from './deadlines.ts'
import { Effects } from './effects.ts'
import type { AnyEvent, EventData } from './event.ts'
import type { Identity } from './identity.ts'
import { Outcomes } from './outcomes.ts'
import type { Audience } from './publication.ts'
import { isStreamReply } from './reply.ts'
import { ReplyHeaders } from './reply-headers.ts'
import { discardResult } from './stream-source.ts'

/** Where a call came from and where its answer goes: a connection, or one HTTP request. */
export interface CallOrigin {
  readonly wire: Wire
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly connection: CallConnection | null
  readonly traceparent: string | null
  /** As sent, without the query, cut short; only over HTTP. */
  readonly requestedPath?: string
  /** Headers of this origin's one answer, which `onRequest` may have added to already; only over HTTP. Made when first asked for. */
  readonly replyHeaders?: ReplyHeaders
  /** Null when nobody added a header. */
  readonly addedHeaders?: ReplyHeaders | null
  /** Reads the input, now or later, and hands it on; refuses by `call.fail`. */
  readInput(call: ActiveCall, next: (call: ActiveCall, input: unknown) => void): void
  /** Makes the answer, and returns what sends it: it throws, if it throws, before anything has left. Returns the HTTP status. */
  succeed(call: ActiveCall, result: unknown): number
  /** Never throws. */
  fail(call: ActiveCall, error: AppError): void
  /** The call has been answered or given up. */
  ended(call: ActiveCall): void
}

/** One execution of a route: the call as core runs it. What steps add becomes a property of it. */
export class ActiveCall implements Call, DropListener {
  readonly id: string
  readonly compiled: CompiledRoute
  readonly origin: CallOrigin
  readonly services: CallServices
  readonly startedMs: number
  identity: Identity | null
  /** Answered, or given up because the client left: nothing more goes out. */
  settled = false
  /** Runs once the call has been answered and its command or handler has ended, which a deadline does not wait for. */
  onDone: (() => void) | null = null
  /** The command or handler is at work. Only told for a call with `onDone`. */
  executing = false
  /** `data` of the package; undefined on HTTP, where the input is read later. */
  readonly data: unknown
  /** Of the package; 0 on HTTP. */
  readonly pkgId: number
  #controller: AbortController | null = null
  #deadline: Deadline | null = null
  #effects: Effects | null = null
  #headers: ReplyHeaders | null = null
  #connection: CallConnection | null = null
  #log: Logger | null = null
  #aborted: Error | null = null
  #outcomes: Outcomes | null = null

  constructor(
    compiled: CompiledRoute,
    origin: CallOrigin,
    services: CallServices,
    id: string,
    identity: Identity | null,
    data: unknown = undefined,
    pkgId = 0,
  ) {
    this.id = id
    this.compiled = compiled
    this.origin = origin
    this.services = services
    this.identity = identity
    this.data = data
    this.pkgId = pkgId
    this.startedMs = services.clock.monotonic()
  }

  get wire(): Wire {
    return this.origin.wire
  }
  get route(): RouteInfo {
    return this.compiled.info
  }
  get address(): string {
    return this.origin.address
  }
  get headers(): Readonly<Record<string, string>> {
    return this.origin.headers
  }
  get query(): Readonly<Record<string, string | readonly string[]>> {
    return this.origin.query
  }
  get connection(): CallConnection | null {
    const { connection } = this.origin
    if (connection === null) return null
    this.#connection ??= new CallerConnection(connection, this)
    return this.#connection
  }
  get traceparent(): string | null {
    return this.origin.traceparent
  }
  get deadline(): number {
    const { deadlineMs } = this.compiled
    if (deadlineMs === 0) return Number.POSITIVE_INFINITY
    const { clock } = this.services
    return clock.now() + Math.round(this.startedMs + deadlineMs - clock.monotonic())
  }
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#aborted !== null) this.#controller.abort(this.#aborted)
    }
    return this.#controller.signal
  }
  get log(): Logger {
    this.#log ??= this.services.log.child(callFields(this))
    return this.#log
  }
  get replyHeaders(): ReplyHeaders {
    this.#headers ??= this.origin.replyHeaders ?? new ReplyHeaders()
    return this.#headers
  }
  /** Null when nobody added a header. */
  get addedHeaders(): ReplyHeaders | null {
    return this.#headers ?? this.origin.addedHeaders ?? null
  }

  publish<E extends AnyEvent>(topic: string, event: E, data: EventData<E>): void {
    this.#publish({ kind: 'topic', topic }, event, data)
  }
  broadcast<E extends AnyEvent>(event: E, data: EventData<E>): void {
    this.#publish({ kind: 'all' }, event, data)
  }
  sendTo<E extends AnyEvent>(identityId: string, event: E, data: EventData<E>): void {
    this.#publish({ kind: 'identity', identityId }, event, data)
  }
  #publish(audience: Audience, event: AnyEvent, data: unknown): void {
    const { hub } = this.services
    const publication = hub.prepare(audience, event, data)
    if (this.#effects?.held) this.#effects.add(() => hub.send(publication))
    else hub.send(publication)
  }
  afterCommit(effect: () => void | Promise<void>): void {
    this.effects.add(effect)
  }

  /** What waits for a commit or for success. */
  get effects(): Effects {
    this.#effects ??= new Effects(
      (error) => this.log.error({ err: error }, 'An effect after the commit failed'),
      (pending) => this.services.track(pending),
    )
    return this.#effects
  }

  /** What was sent to be committed. */
  get outcomes(): Outcomes {
    this.#outcomes ??= new Outcomes((outcomes) => this.#outcomesKnown(outcomes))
    return this.#outcomes
  }

  /** A promise that was handed out on behalf of this call has failed, and nothing had handled it. */
  dropped(error: unknown, promise: string): void {
    const { connection } = this.origin
    this.services.rejections.dropped(
      error,
      promise,
      this.log,
      connection === null ? {} : { connection_id: connection.id },
    )
  }

  /** Called when the call has not been answered within the callback that brought it. */
  armDeadline(): void {
    const { deadlineMs } = this.compiled
    if (this.settled || deadlineMs === 0 || this.#deadline !== null) return
    this.#deadline = this.services.deadlines.arm(this, this.startedMs, deadlineMs)
  }

  /** The deadline has passed. */
  expire(): void {
    void this.giveUp(new DeadlineExceededError(this.compiled.deadlineMs))
  }

  /**
   * Answers before the work has ended, and tells whoever is at it. What was sent to be committed is waited for, at most
   * `commitTimeoutMs`: until its answer comes, nobody can say whether it was done. Returns what resolves with the answer when it is
   * not answered yet.
   */
  giveUp(error: AppError): Promise<void> | undefined {
    const outcomes = this.#outcomes
    if (!this.settled && outcomes?.held) return outcomes.held.answered
    if (this.settled || !outcomes?.pending) {
      this.#giveUpNow(error)
      return undefined
    }
    // Statements that commit by themselves are cancelled, and their answer says whether they were; a COMMIT is not.
    if (!outcomes.committing) this.#abort(error)
    const { clock, commitTimeoutMs } = this.services
    const timer = clock.timer(commitTimeoutMs, () => this.#giveUpNow(error))
    let tellAnswered = (): void => {}
    const answered = new Promise<void>((resolve) => {
      tellAnswered = resolve
    })
    outcomes.held = { error, timer, answered, tellAnswered }
    return answered
  }

  #giveUpNow(error: AppError): void {
    const outcomes = this.#outcomes
    if (!this.settled && outcomes?.uncertain) {
      outcomes.late = 'unknown'
      this.fail(new OutcomeUnknownError(undefined, { cause: error }))
    } else this.fail(error)
    this.#abort(error)
  }

  /** Nothing that was sent was done: what waited for it ends the call as it would have before. */
  #outcomesKnown({ held, mayBeDone }: Outcomes): void {
    if (held !== null && !mayBeDone) this.#abort(held.error)
  }

  /** The client has gone: nobody is there to be answered. */
  abandon(reason: string): void {
    // A streamed answer has begun and is cut: only whoever makes it has to know.
    if (this.settled) return this.#abort(new Error(reason))
    if (this.#outcomes?.uncertain) this.#outcomes.late = 'left'
    this.#settle()
    this.#abort(new Error(reason))
    this.#report({ error: null, aborted: true, httpStatus: 499, durationMs: this.#elapsed() })
  }

  succeed(result: unknown): void {
    if (this.settled) return this.discard(result)
    let httpStatus: number
    try {
      httpStatus = this.origin.succeed(this, result)
    } catch (error) {
      this.discard(result)
      return this.fail(error)
    }
    // The answer was the frame too many for a slow client, or nobody is there to be streamed to: it has been given up.
    if (this.settled) return
    this.#settle()
    const pending = this.#effects?.release()
    if (pending !== undefined) this.services.track(pending)
    this.#report({ error: null, aborted: false, httpStatus, durationMs: this.#elapsed() })
  }

  fail(thrown: unknown): void {
    if (this.settled) {
      const late = this.#outcomes?.late ?? null
      if (late !== null) this.#effects?.drop()
      if (late === 'unknown') return this.#tellLate(false, thrown)
      // Answered already, by its deadline or because the client left: only a fault of ours is worth a line.
      if (this.#isAbort(thrown)) return
      if (toAppError(thrown, this.services.errorMappers) instanceof InternalError) {
        this.log.warn({ err: thrown }, 'A call failed after it had been answered')
      }
      return
    }
    const error = this.#toAnswer(thrown)
    if (error === null) return
    if (error.httpStatus >= 500 && error.cause !== undefined)
      this.log.error({ err: error.cause, code: error.code }, 'A call failed')
    this.#settle()
    if (this.#outcomes === null || this.#outcomes.late === null) this.#effects?.drop()
    this.origin.fail(this, error)
    this.#report({ error, aborted: false, httpStatus: error.httpStatus, durationMs: this.#elapsed() })
  }

  /** A result that is not sent: a streamed body in it is ended. */
  discard(result: unknown): void {
    if (isStreamReply(result)) discardResult(result).catch((error: unknown) => this.fail(error))
  }

  /**
   * Of a call of which something is committed, no error of core says that it may simply be made again. Null while that is not known
   * yet: it fails when it is.
   */
  #toAnswer(thrown: unknown): AppError | null {
    const error = toAppError(thrown, this.services.errorMappers)
    const outcomes = this.#outcomes
    if (outcomes === null || !error.retry || !outcomes.uncertain) return error
    // What an application throws itself is its own decision.
    if (!isMapped(error, thrown) && error !== this.#aborted) return error
    if (outcomes.mayBeDone) return new OutcomeUnknownError(undefined, { cause: thrown })
    void outcomes.whenKnown().then(() => this.fail(thrown))
    return null
  }

  /** The command or handler has succeeded after the call was answered or given up: what it committed has its effects all the same. */
  succeedLate(): void {
    const late = this.#outcomes?.late ?? null
    if (late === null) return
    const pending = this.#effects?.release()
    if (pending !== undefined) this.services.track(pending)
    if (late === 'unknown') this.#tellLate(true, null)
  }

  #tellLate(succeeded: boolean, error: unknown): void {
    this.services.endedLate(succeeded)
    if (succeeded) this.log.warn('A call that was answered with outcome_unknown has succeeded')
    else this.log.warn({ err: error }, 'A call that was answered with outcome_unknown has failed')
  }

  #settle(): void {
    this.settled = true
    if (this.#deadline !== null) this.services.deadlines.disarm(this.#deadline)
    const outcomes = this.#outcomes
    if (outcomes === null) return this.origin.ended(this)
    outcomes.held?.timer.cancel()
    outcomes.held?.tellAnswered()
    // A drain waits for it, and for the effects that it has.
    if (outcomes.pending) this.services.track(outcomes.whenKnown())
    this.origin.ended(this)
  }

  /** Lets whoever waits for its end go on, if this is the end. */
  tellDone(): void {
    const { onDone } = this
    if (onDone === null || this.executing || !this.settled) return
    this.onDone = null
    onDone()
  }

  #abort(reason: Error): void {
    if (this.#aborted !== null) return
    this.#aborted = reason
    this.#controller?.abort(reason)
  }

  /** Work that was told to stop and did. */
  #isAbort(thrown: unknown): boolean {
    if (this.#aborted === null) return false
    if (thrown === this.#aborted) return true
    // What Node and the web throw for a signal, with its reason as the cause or without.
    return thrown instanceof Error && (thrown.cause === this.#aborted || thrown.name === 'AbortError')
  }

  #elapsed(): number {
    return this.services.clock.monotonic() - this.startedMs
  }

  #report(outcome: CallOutcome): void {
    if (this.origin.wire === 'ws') this.compiled.countWebSocket?.(outcome)
    else this.compiled.httpCounter?.count(outcome)
    const { onReply, access } = this.services
    if (access !== null) access(this, outcome)
    if (onReply !== null) onReply(this, outcome)
    this.tellDone()
  }
}
