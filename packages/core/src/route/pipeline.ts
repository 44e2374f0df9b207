import { dropSafe } from '../base/drop-safe.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { ActiveCall } from '../call/active-call.ts'
import { type AppError, InternalError } from '../errors/app-error.ts'
import { Attempts } from './attempts.ts'
import type { Output } from './output.ts'
import type { CheckRun, GuardRun, InterceptorRun, Next, Outcome } from './step.ts'
import type { Validate } from './validate.ts'

type BoundGuard = GuardRun<ActiveCall, unknown>
type BoundCheck = CheckRun<unknown, ActiveCall>
/** An interceptor as bound to one app. */
interface BoundInterceptor {
  readonly kind: 'interceptor'
  readonly run: InterceptorRun<ActiveCall, unknown>
  readonly holdsEffects: boolean
  readonly mayRepeat: boolean
}
/** A check that runs inside of an interceptor. */
interface WrappedCheck {
  readonly kind: 'check'
  readonly run: BoundCheck
}
export type BoundWrapped = BoundInterceptor | WrappedCheck
type Execute = (input: unknown, call: ActiveCall) => MaybePromise<unknown>
/** Takes a call one stage on, with what the stage before made. May throw: whoever drives it answers. */
type Stage = (call: ActiveCall, value: unknown) => void

/** The parts of one route, in the order in which they run. */
export interface Stages {
  /** What a call without an identity is answered with; null where none is needed. */
  readonly missingIdentity: (() => AppError) | null
  readonly guards: readonly BoundGuard[]
  readonly validate: Validate | null
  readonly checks: readonly BoundCheck[]
  /** From the first interceptor on. */
  readonly wrapped: readonly BoundWrapped[]
  readonly execute: Execute
  readonly output: Output
}

/**
 * THE order, in one place: identity, guards, input, validation, checks, interceptors (and checks inside of them) around the command or
 * handler, output, reply.
 *
 * Each stage calls the next one directly as long as nothing is a promise, so that a call which is synchronous from end to end is
 * answered inside the callback that brought it. A stage that a route does not have is not in its chain.
 */
export function compilePipeline(stages: Stages): (call: ActiveCall) => void {
  const reply: Stage = (call, result) => call.succeed(result)
  const output = through((_call, result) => stages.output(result), reply)
  let chain = executing(compileExecute(stages), output)
  for (const check of stages.checks.toReversed()) chain = checkThen(check, chain)
  if (stages.validate === null) chain = withoutInput(chain)
  else chain = through(callless(stages.validate), chain)
  const afterInput = guarded(chain)
  chain = (call) => call.origin.readInput(call, afterInput)
  for (const guard of stages.guards.toReversed()) chain = guardThen(guard, chain)
  if (stages.missingIdentity !== null) chain = identified(stages.missingIdentity, chain)
  const start = guarded(chain)
  return (call) => start(call, undefined)
}

/** Answers what a stage throws. */
function guarded(stage: Stage): Stage {
  return (call, value) => {
    try {
      stage(call, value)
    } catch (error) {
      call.fail(error)
    }
  }
}

/** Goes on when a promise is done, unless the call has been answered meanwhile. */
function later(call: ActiveCall, promise: Promise<unknown>, next: Stage, isWork = false): void {
  promise.then(
    (value) => {
      if (call.settled) {
        if (isWork) call.succeedLate()
        return call.discard(value)
      }
      try {
        next(call, value)
      } catch (error) {
        call.fail(error)
      }
    },
    (error) => call.fail(error),
  )
}

function through(work: (call: ActiveCall, value: unknown) => MaybePromise<unknown>, next: Stage): Stage {
  return (call, value) => {
    const result = work(call, value)
    if (isPromise(result)) later(call, result, next)
    else next(call, result)
  }
}

/** As `through`, for the command or handler: its call is told of an end that comes late. */
function executing(work: (call: ActiveCall, value: unknown) => MaybePromise<unknown>, next: Stage): Stage {
  return (call, value) => {
    const result = work(call, value)
    if (isPromise(result)) later(call, result, next, true)
    else next(call, result)
  }
}

function callless(validate: Validate): (call: ActiveCall, input: unknown) => MaybePromise<unknown> {
  return (_call, input) => validate(input)
}

function withoutInput(next: Stage): Stage {
  return (call) => next(call, undefined)
}

function identified(missing: () => AppError, next: Stage): Stage {
  return (call, value) => {
    if (call.identity === null) throw missing()
    next(call, value)
  }
}

function guardThen(guard: BoundGuard, next: Stage): Stage {
  const added: Stage = (call, adds) => {
    if (typeof adds === 'object' && adds !== null) Object.assign(call, adds)
    next(call, undefined)
  }
  return (call) => {
    const adds = guard(call)
    if (adds === undefined) next(call, undefined)
    else if (isPromise(adds)) later(call, adds, added)
    else added(call, adds)
  }
}

function checkThen(check: BoundCheck, next: Stage): Stage {
  return (call, input) => {
    const result = check(input, call)
    if (isPromise(result)) later(call, result, () => next(call, input))
    else next(call, input)
  }
}

function compileExecute({ wrapped, execute }: Stages): (call: ActiveCall, input: unknown) => MaybePromise<unknown> {
  let work = execute
  for (const step of wrapped.toReversed()) work = step.kind === 'check' ? checked(step.run, work) : wrap(step, work)
  return (call, input) => {
    if (call.onDone === null) return work(input, call)
    return tellWhenDone(call, work, input)
  }
}

/** A check inside of an interceptor: its refusal is a failure of what the interceptor wraps. */
function checked(check: BoundCheck, execute: Execute): Execute {
  return (input, call) => {
    const result = check(input, call)
    if (!isPromise(result)) return execute(input, call)
    return result.then(() => {
      throwIfSettled(call)
      return execute(input, call)
    })
  }
}

/** Nothing more begins for a call that has been answered. */
function throwIfSettled(call: ActiveCall): void {
  if (call.settled) throw call.signal.reason ?? new Error('The call has been answered already')
}

/** Ordered calls wait for the end of the work itself, which an answered deadline is not. */
async function tellWhenDone(call: ActiveCall, execute: Execute, input: unknown): Promise<unknown> {
  call.executing = true
  try {
    return await execute(input, call)
  } finally {
    call.executing = false
    call.tellDone()
  }
}

function wrap({ run, holdsEffects, mayRepeat }: BoundInterceptor, execute: Execute): Execute {
  return async (input, call) => {
    // An object of its own for each execution: only the interceptor that was given it can hand it back.
    const outcome = {} as Outcome
    const attempts = mayRepeat ? new Attempts(call, input) : null
    let result: unknown
    let may = true
    let restore: (() => void) | null = null
    const proceed = async (adds: unknown): Promise<Outcome> => {
      if (!may) throw new InternalError({ cause: new Error('An interceptor called next twice') })
      may = false
      // Answered while the interceptor waited for what it needs: what it wraps must not begin any more.
      throwIfSettled(call)
      restore?.()
      call.discard(result)
      restore = addForNow(call, adds)
      try {
        result = await execute(attempts === null ? input : attempts.begin(), call)
      } finally {
        // Also after a success: what fails then may be the interceptor's own end, as a commit does.
        may = mayRepeat
      }
      return outcome
    }
    // An interceptor may fail at something of its own while what it wraps is still at work, and fails too.
    const next: Next<unknown> = (...adds: readonly unknown[]) => dropSafe(proceed(adds[0]), 'next', call)
    const mark = holdsEffects ? call.effects.hold() : null
    let committed = false
    try {
      const returned = await run(call, next)
      if (returned !== outcome)
        throw new InternalError({ cause: new Error('An interceptor did not return what next resolved with') })
      committed = true
    } finally {
      ;(restore as (() => void) | null)?.()
      if (!committed) call.discard(result)
      const pending = mark === null ? undefined : call.effects.unhold(mark, committed)
      if (pending !== undefined) call.services.track(pending)
    }
    return result
  }
}

/** An interceptor's additions hold inside it only: a transaction's handle is dead once it has ended. */
function addForNow(call: ActiveCall, adds: unknown): (() => void) | null {
  if (typeof adds !== 'object' || adds === null) return null
  const before = Object.getOwnPropertyDescriptors(call)
  Object.assign(call, adds)
  return () => {
    for (const key of Object.keys(adds)) {
      const old = before[key as keyof typeof before]
      if (old === undefined) Reflect.deleteProperty(call, key)
      else Object.defineProperty(call, key, old)
    }
  }
}
