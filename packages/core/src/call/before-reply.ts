import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { AppError } from '../errors/app-error.ts'
import type { ActiveCall } from './active-call.ts'
import { runInTrace } from './tracer.ts'

/** How a call will be answered. `error` is null for a success. */
export interface DecidedOutcome {
  readonly error: AppError | null
  /** The client has disconnected: nothing is sent. */
  readonly aborted: boolean
  /** Of a failure; 499 when aborted; null for a success, whose reply sets it. */
  readonly httpStatus: number | null
  readonly durationMs: number
}

/** Runs before the reply of a call leaves, which waits for it. */
export type BeforeReply = (call: ActiveCall, decided: DecidedOutcome) => MaybePromise<void>

interface Decision {
  readonly answered: Promise<void>
  /** The hooks have ended: the reply may leave. */
  isCleared: boolean
}

/** Not a field of calls: few routes have such hooks. */
const decisions = new WeakMap<ActiveCall, Decision>()

/** The outcome of the call is decided, and its reply waits for the hooks. */
export function awaitsHooks(call: ActiveCall): boolean {
  return call.compiled.beforeReply !== null && decisions.get(call)?.isCleared === false
}

/** There are no hooks, or they have ended. */
export function mayReply(call: ActiveCall): boolean {
  return call.compiled.beforeReply === null || decisions.get(call)?.isCleared === true
}

/** Resolves when a decided call has been answered, and after `commitTimeoutMs` at the latest: a hook that never ends keeps no drain waiting. */
export function whenAnswered(call: ActiveCall): Promise<void> | undefined {
  const answered = decisions.get(call)?.answered
  if (answered === undefined) return undefined
  const { clock, commitTimeoutMs } = call.services
  return new Promise((resolve) => {
    const timer = clock.timer(commitTimeoutMs, () => {
      call.log.error('A hook before the reply of a call did not end: its client gets no reply')
      resolve()
    })
    const done = (): void => {
      timer.cancel()
      resolve()
    }
    answered.then(done, done)
  })
}

/** Runs the hooks, then `reply`, or `refuse` with what they throw. Neither runs for a call whose client has left meanwhile. */
export function decide(
  call: ActiveCall,
  outcome: DecidedOutcome,
  reply: () => void,
  refuse: (error: unknown) => void,
): void {
  const { deadlines } = call.services
  if (call.armedDeadline !== null) deadlines.disarm(call.armedDeadline)
  call.addedCommits?.deferredFailure?.timer.cancel()
  const finish = (next: () => void): void => {
    decision.isCleared = true
    next()
  }
  const answered = runHooks(call, outcome).then(
    () => finish(reply),
    (error: unknown) => finish(() => refuse(error)),
  )
  const decision: Decision = { answered, isCleared: false }
  decisions.set(call, decision)
  call.services.track(answered)
}

/** For a call whose client has left: there is nothing to hold back. */
export function notifyAborted(call: ActiveCall, outcome: DecidedOutcome): void {
  if (call.compiled.beforeReply === null || decisions.has(call)) return
  const failed = (error: unknown): void => call.log.error({ err: error }, 'A hook before the reply of a call failed')
  runInTrace(call, () => call.services.track(runHooks(call, outcome).catch(failed)))
}

async function runHooks(call: ActiveCall, outcome: DecidedOutcome): Promise<void> {
  const result = call.compiled.beforeReply?.(call, outcome)
  if (isPromise(result)) await result
}
