import type { AppError } from '../errors/app-error.ts'
import { DeadlineExceededError, InternalError, OutcomeUnknownError } from '../errors/app-error.ts'
import { isMapped, toAppError } from '../errors/normalize.ts'
import { CallContext } from './call-context.ts'
import type { CallOutcome } from './call-outcome.ts'
import type { Deadline } from './deadlines.ts'
import { PendingCommits } from './pending-commits.ts'
import { isStreamReply } from './reply.ts'
import { discardResult } from './stream-source.ts'

/** One execution of a route, and how it ends: with a reply, an error, a deadline or a client that disconnects. */
export class ActiveCall extends CallContext {
  /** Answered, or its client has disconnected: nothing more is sent. */
  settled = false
  /** Runs once the call has been answered and its command or handler has ended, which a deadline does not wait for. */
  onDone: (() => void) | null = null
  /** The command or handler is running. Only set for a call with `onDone`. */
  executing = false
  #deadline: Deadline | null = null
  #commits: PendingCommits | null = null

  /** What was sent to be committed. */
  get commits(): PendingCommits {
    this.#commits ??= new PendingCommits((commits) => this.#commitsSettled(commits))
    return this.#commits
  }

  /** For a call that has not been answered within the callback that brought it. */
  armDeadline(): void {
    const { deadlineMs } = this.compiled
    if (this.settled || deadlineMs === 0 || this.#deadline !== null) return
    this.#deadline = this.services.deadlines.arm(this, this.startedMs, deadlineMs)
  }

  /** The deadline has passed. */
  expire(): void {
    void this.failEarly(new DeadlineExceededError(this.compiled.deadlineMs))
  }

  /**
   * Answers with `error` before the work has ended, and aborts `signal`. Waits at most `commitTimeoutMs` for what was sent to be
   * committed: until its answer comes, it is not known whether it was done. Returns a promise of the reply when it is not sent yet.
   */
  failEarly(error: AppError): Promise<void> | undefined {
    const commits = this.#commits
    if (!this.settled && commits?.deferredFailure) return commits.deferredFailure.answered
    if (this.settled || !commits?.pending) {
      this.#failNow(error)
      return undefined
    }
    // Statements that commit by themselves are cancelled, and their answer says whether they were; a COMMIT is not.
    if (!commits.committing) this.abort(error)
    const { clock, commitTimeoutMs } = this.services
    const timer = clock.timer(commitTimeoutMs, () => this.#failNow(error))
    let resolveAnswered = (): void => {}
    const answered = new Promise<void>((resolve) => {
      resolveAnswered = resolve
    })
    commits.deferredFailure = { error, timer, answered, resolveAnswered }
    return answered
  }

  #failNow(error: AppError): void {
    const commits = this.#commits
    if (!this.settled && commits?.uncertain) {
      commits.endedEarly = 'outcome_unknown'
      this.fail(new OutcomeUnknownError(undefined, { cause: error }))
    } else this.fail(error)
    this.abort(error)
  }

  /** When nothing that was sent was done, the deferred failure aborts the work as it would have at once. */
  #commitsSettled({ deferredFailure, mayBeCommitted }: PendingCommits): void {
    if (deferredFailure !== null && !mayBeCommitted) this.abort(deferredFailure.error)
  }

  /** The client has disconnected: no reply is sent. */
  abandon(reason: string): void {
    // A streamed reply has begun and is cut: only its source has to know.
    if (this.settled) return this.abort(new Error(reason))
    if (this.#commits?.uncertain) this.#commits.endedEarly = 'disconnected'
    this.#settle()
    this.abort(new Error(reason))
    this.#report({ error: null, aborted: true, httpStatus: 499, durationMs: this.#elapsed() })
  }

  succeed(result: unknown): void {
    if (this.settled) return this.discard(result)
    let httpStatus: number
    try {
      httpStatus = this.peer.succeed(this, result)
    } catch (error) {
      this.discard(result)
      return this.fail(error)
    }
    // A slow client was disconnected by this reply, or the client of a stream had left: the call was abandoned.
    if (this.settled) return
    this.#settle()
    this.#releaseEffects()
    this.#report({ error: null, aborted: false, httpStatus, durationMs: this.#elapsed() })
  }

  fail(thrown: unknown): void {
    if (this.settled) return this.#failedAfterEnd(thrown)
    const error = this.#toAnswer(thrown)
    if (error === null) return
    if (error.httpStatus >= 500 && error.cause !== undefined)
      this.log.error({ err: error.cause, code: error.code }, 'A call failed')
    this.#settle()
    if (this.#commits === null || this.#commits.endedEarly === null) this.addedEffects?.drop()
    this.peer.fail(this, error)
    this.#report({ error, aborted: false, httpStatus: error.httpStatus, durationMs: this.#elapsed() })
  }

  /** A result that is not sent: a streamed body in it is ended. */
  discard(result: unknown): void {
    if (isStreamReply(result)) discardResult(result).catch((error: unknown) => this.fail(error))
  }

  /**
   * When something of the call is committed, no error of core may suggest a retry. Null while that is not known yet: the call fails
   * when it is.
   */
  #toAnswer(thrown: unknown): AppError | null {
    const error = toAppError(thrown, this.services.errorMappers)
    const commits = this.#commits
    if (commits === null || !error.retry || !commits.uncertain) return error
    // What an application throws itself is its own decision.
    if (!isMapped(error, thrown) && error !== this.abortReason) return error
    if (commits.mayBeCommitted) return new OutcomeUnknownError(undefined, { cause: thrown })
    void commits.whenSettled().then(() => this.fail(thrown))
    return null
  }

  /** The command or handler has succeeded after the end of the call: what it committed has its effects nevertheless. */
  succeedAfterEnd(): void {
    const endedEarly = this.#commits?.endedEarly ?? null
    if (endedEarly === null) return
    this.#releaseEffects()
    if (endedEarly !== 'outcome_unknown') return
    this.services.countLateOutcome(true)
    this.log.warn('A call that was answered with outcome_unknown has succeeded')
  }

  #failedAfterEnd(thrown: unknown): void {
    const endedEarly = this.#commits?.endedEarly ?? null
    if (endedEarly !== null) this.addedEffects?.drop()
    if (endedEarly === 'outcome_unknown') {
      this.services.countLateOutcome(false)
      this.log.warn({ err: thrown }, 'A call that was answered with outcome_unknown has failed')
      return
    }
    // Only an error of the server is logged: any other is the consequence of the deadline or of the disconnect.
    if (this.#isAbort(thrown)) return
    if (toAppError(thrown, this.services.errorMappers) instanceof InternalError)
      this.log.warn({ err: thrown }, 'A call failed after it had been answered')
  }

  #releaseEffects(): void {
    const pending = this.addedEffects?.release()
    if (pending !== undefined) this.services.track(pending)
  }

  #settle(): void {
    this.settled = true
    if (this.#deadline !== null) this.services.deadlines.disarm(this.#deadline)
    const commits = this.#commits
    if (commits === null) return this.peer.ended(this)
    commits.deferredFailure?.timer.cancel()
    commits.deferredFailure?.resolveAnswered()
    // A drain waits for it, and for the effects that it has.
    if (commits.pending) this.services.track(commits.whenSettled())
    this.peer.ended(this)
  }

  /** Runs `onDone`, if the call is answered and its work has ended. */
  notifyDone(): void {
    const { onDone } = this
    if (onDone === null || this.executing || !this.settled) return
    this.onDone = null
    onDone()
  }

  /** True for what work throws that stopped because `signal` was aborted. */
  #isAbort(thrown: unknown): boolean {
    const { abortReason } = this
    if (abortReason === null) return false
    if (thrown === abortReason) return true
    // What Node and the web throw for a signal, with its reason as the cause or without.
    return thrown instanceof Error && (thrown.cause === abortReason || thrown.name === 'AbortError')
  }

  #elapsed(): number {
    return this.services.clock.monotonic() - this.startedMs
  }

  #report(outcome: CallOutcome): void {
    if (this.peer.wire === 'ws') this.compiled.countWebSocket?.(outcome)
    else this.compiled.httpCounter?.count(outcome)
    const { onReply, access } = this.services
    if (access !== null) access(this, outcome)
    if (onReply !== null) onReply(this, outcome)
    this.notifyDone()
  }
}
