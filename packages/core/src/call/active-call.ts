import type { AppError } from '../errors/app-error.ts'
import { DeadlineExceededError, InternalError, OutcomeUnknownError } from '../errors/app-error.ts'
import { isMapped, toAppError } from '../errors/normalize.ts'
import { awaitsHooks, decide, mayReply, notifyAborted, whenAnswered } from './before-reply.ts'
import { CallContext } from './call-context.ts'
import type { CallOutcome } from './call-outcome.ts'
import { deadlineErrorOf } from './deadline-error.ts'
import { ItemsResult } from './item-stream.ts'
import { PendingCommits } from './pending-commits.ts'
import { isReply } from './reply.ts'
import { discardResult } from './stream-source.ts'
import { runInTrace } from './tracer.ts'

/** What a peer returns whose reply has not begun, and that ends the call itself when it has. */
export const answeredLater = 0

/** One execution of a route, and how it ends: with a reply, an error, a deadline or a client that disconnects. */
export class ActiveCall extends CallContext {
  /** What was sent to be committed. */
  get commits(): PendingCommits {
    this.addedCommits ??= new PendingCommits((commits) => commitsSettled(this, commits))
    return this.addedCommits
  }

  /** Answered, or about to be: nothing more begins for it. */
  get decided(): boolean {
    return this.settled || awaitsHooks(this)
  }

  /** For a call that has not been answered within the callback that brought it. */
  armDeadline(): void {
    const { deadlineMs } = this.compiled
    if (this.decided || deadlineMs === 0 || this.armedDeadline !== null) return
    this.armedDeadline = this.services.deadlines.arm(this, this.startedMs, deadlineMs)
  }

  /** The call waits for its client, which has time limits of its own. */
  pauseDeadline(): void {
    if (this.settled) return
    // Armed first, so that it is not armed later.
    this.armDeadline()
    if (this.armedDeadline !== null) this.services.deadlines.disarm(this.armedDeadline)
  }

  /** The deadline begins anew. */
  restartDeadline(): void {
    const { deadlineMs } = this.compiled
    if (this.settled || deadlineMs === 0) return
    const { clock, deadlines } = this.services
    this.armedDeadline = deadlines.arm(this, clock.monotonic(), deadlineMs)
  }

  /** The deadline has passed. */
  expire(): void {
    runInTrace(this, expireNow)
  }

  /**
   * Answers with `error` before the work has ended, and aborts `signal`. Waits at most `commitTimeoutMs` for what was sent to be
   * committed: until its answer comes, it is not known whether it was done. Returns a promise of the reply when it is not sent yet.
   */
  failEarly(error: AppError): Promise<void> | undefined {
    if (awaitsHooks(this)) return whenAnswered(this)
    const commits = this.addedCommits
    if (!this.settled && commits?.deferredFailure) return commits.deferredFailure.answered
    if (this.settled || !commits?.pending) {
      failNow(this, error)
      return undefined
    }
    // Statements that commit by themselves are cancelled, and their answer says whether they were; a COMMIT is not.
    if (!commits.committing) this.abort(error)
    const { clock, commitTimeoutMs } = this.services
    const timer = clock.timer(commitTimeoutMs, () => failNow(this, error))
    let resolveAnswered = (): void => {}
    const answered = new Promise<void>((resolve) => {
      resolveAnswered = resolve
    })
    commits.deferredFailure = { error, timer, answered, resolveAnswered }
    return answered
  }

  /** The client has disconnected: no reply is sent. */
  abandon(reason: string): void {
    // A streamed reply has begun and is cut: only its source has to know.
    if (this.settled) return this.abort(new Error(reason))
    if (this.addedCommits?.uncertain) this.addedCommits.endedEarly = 'disconnected'
    settle(this)
    this.abort(new Error(reason))
    const outcome = { error: null, aborted: true, httpStatus: 499, durationMs: elapsed(this) }
    notifyAborted(this, outcome)
    report(this, outcome)
  }

  succeed(result: unknown): void {
    if (this.settled) return this.discard(result)
    if (mayReply(this)) return answer(this, result)
    if (awaitsHooks(this)) {
      this.succeedAfterEnd()
      return this.discard(result)
    }
    decide(
      this,
      { error: null, aborted: false, httpStatus: null, durationMs: elapsed(this) },
      () => {
        // Its client has left meanwhile.
        if (this.settled) this.succeedAfterEnd()
        this.succeed(result)
      },
      (error) => {
        this.discard(result)
        this.fail(error)
      },
    )
  }

  fail(thrown: unknown): void {
    if (this.decided) return failedAfterEnd(this, thrown)
    const error = toAnswer(this, thrown)
    if (error === null) return
    const { httpStatus } = error
    if (httpStatus >= 500 && error.cause !== undefined)
      this.log.error({ err: error.cause, code: error.code }, 'A call failed')
    if (mayReply(this)) return answerError(this, error)
    decide(
      this,
      { error, aborted: false, httpStatus, durationMs: elapsed(this) },
      () => answerError(this, error),
      (other) => this.fail(other),
    )
  }

  /** A result that is not sent: a streamed body in it, or the source of its items, is ended. */
  discard(result: unknown): void {
    if (isReply(result)) discardResult(result).catch((error: unknown) => this.fail(error))
    else if (result instanceof ItemsResult) result.discard().catch((error: unknown) => this.fail(error))
  }

  /** The command or handler has succeeded after the end of the call: what it committed has its effects nevertheless. */
  succeedAfterEnd(): void {
    const endedEarly = this.addedCommits?.endedEarly ?? null
    if (endedEarly === null) return
    releaseEffects(this)
    if (endedEarly !== 'outcome_unknown') return
    this.services.countLateOutcome(true)
    this.log.warn('A call that was answered with outcome_unknown has succeeded')
  }

  /** Runs `onDone`, if the call is answered and its work has ended. */
  notifyDone(): void {
    const { onDone } = this
    if (onDone === null || this.executing || !this.settled) return
    this.onDone = null
    onDone()
  }
}

function expireNow(call: ActiveCall): void {
  void call.failEarly(deadlineErrorOf(call) ?? new DeadlineExceededError(call.compiled.deadlineMs))
}

function answer(call: ActiveCall, result: unknown): void {
  let httpStatus: number
  try {
    httpStatus = call.peer.succeed(call, result)
  } catch (error) {
    call.discard(result)
    return call.fail(error)
  }
  // A slow client was disconnected by this reply, or the client of a stream had left: the call was abandoned.
  if (call.settled || httpStatus === answeredLater) return
  settle(call)
  releaseEffects(call)
  report(call, { error: null, aborted: false, httpStatus, durationMs: elapsed(call) })
}

function answerError(call: ActiveCall, error: AppError): void {
  // Its client has left meanwhile.
  if (call.settled) return
  settle(call)
  if (call.addedCommits === null || call.addedCommits.endedEarly === null) call.addedEffects?.drop()
  call.peer.fail(call, error)
  report(call, { error, aborted: false, httpStatus: error.httpStatus, durationMs: elapsed(call) })
}

function failNow(call: ActiveCall, error: AppError): void {
  const commits = call.addedCommits
  if (!call.settled && commits?.uncertain) {
    commits.endedEarly = 'outcome_unknown'
    call.fail(new OutcomeUnknownError(undefined, { cause: error }))
  } else call.fail(error)
  call.abort(error)
}

/** When nothing that was sent was done, the deferred failure aborts the work as it would have at once. */
function commitsSettled(call: ActiveCall, { deferredFailure, mayBeCommitted }: PendingCommits): void {
  if (deferredFailure !== null && !mayBeCommitted) call.abort(deferredFailure.error)
}

/**
 * When something of the call is committed, no error of core may suggest a retry. Null while that is not known yet: the call fails
 * when it is.
 */
function toAnswer(call: ActiveCall, thrown: unknown): AppError | null {
  const error = toAppError(thrown, call.services.errorMappers)
  const commits = call.addedCommits
  if (commits === null || !error.retry || !commits.uncertain) return error
  // What an application throws itself is its own decision.
  if (!isMapped(error, thrown) && error !== call.abortReason) return error
  if (commits.mayBeCommitted) return new OutcomeUnknownError(undefined, { cause: thrown })
  void commits.whenSettled().then(() => call.fail(thrown))
  return null
}

function failedAfterEnd(call: ActiveCall, thrown: unknown): void {
  const endedEarly = call.addedCommits?.endedEarly ?? null
  if (endedEarly !== null) call.addedEffects?.drop()
  if (endedEarly === 'outcome_unknown') {
    call.services.countLateOutcome(false)
    call.log.warn({ err: thrown }, 'A call that was answered with outcome_unknown has failed')
    return
  }
  // Only an error of the server is logged: any other is the consequence of the deadline or of the disconnect.
  if (isAbort(call, thrown)) return
  if (toAppError(thrown, call.services.errorMappers) instanceof InternalError)
    call.log.warn({ err: thrown }, 'A call failed after it had been answered')
}

function releaseEffects(call: ActiveCall): void {
  const pending = call.addedEffects?.release()
  if (pending !== undefined) call.services.track(pending)
}

function settle(call: ActiveCall): void {
  call.settled = true
  if (call.armedDeadline !== null) call.services.deadlines.disarm(call.armedDeadline)
  const commits = call.addedCommits
  if (commits === null) return call.peer.ended(call)
  commits.deferredFailure?.timer.cancel()
  commits.deferredFailure?.resolveAnswered()
  // A drain waits for it, and for the effects that it has.
  if (commits.pending) call.services.track(commits.whenSettled())
  call.peer.ended(call)
}

/** True for what work throws that stopped because `signal` was aborted. */
function isAbort(call: ActiveCall, thrown: unknown): boolean {
  const { abortReason } = call
  if (abortReason === null) return false
  if (thrown === abortReason) return true
  // What Node and the web throw for a signal, with its reason as the cause or without.
  return thrown instanceof Error && (thrown.cause === abortReason || thrown.name === 'AbortError')
}

function elapsed(call: ActiveCall): number {
  return call.services.clock.monotonic() - call.startedMs
}

function report(call: ActiveCall, outcome: CallOutcome): void {
  if (call.peer.wire === 'ws') call.compiled.countWebSocket?.(outcome)
  else call.compiled.httpCounter?.count(outcome)
  const { onReply, access } = call.services
  if (access !== null) access(call, outcome)
  if (onReply !== null) onReply(call, outcome)
  call.notifyDone()
}
