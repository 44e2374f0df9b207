import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { type AnySchema, toIssues } from '../base/schema.ts'
import type { ActiveCall } from '../call/active-call.ts'
import { ItemsResult, toItems } from '../call/item-stream.ts'
import { StreamedReply } from '../call/streamed-reply.ts'
import { type AppError, ValidationError } from '../errors/app-error.ts'
import { compileAccept } from './accept.ts'
import { type BoundWrapped, type Execute, wrapExecute } from './interceptors.ts'
import type { Output } from './output.ts'
import type { CheckRun, GuardRun } from './step.ts'
import { compileWireInput } from './wire-input.ts'

/** Turns what a caller sent into what the handler gets; throws a ValidationError, or rejects with one. */
export type Validate = (input: unknown) => MaybePromise<unknown>
type BoundGuard = GuardRun<ActiveCall, unknown>
type BoundCheck = CheckRun<unknown, ActiveCall>
/** Passes a call to the next stage, with the result of the stage before. May throw: the first stage catches it and answers. */
type Stage = (call: ActiveCall, value: unknown) => void

/** Gets what a caller sent, before it is validated. Must not throw. */
export type InputHook = (call: ActiveCall, input: unknown) => void

/** The parts of one route, in the order in which they run. */
export interface Stages {
  /** The error for a call without an identity; null where none is needed. */
  readonly missingIdentity: (() => AppError) | null
  readonly guards: readonly BoundGuard[]
  readonly validate: Validate | null
  readonly checks: readonly BoundCheck[]
  /** Interceptors, and the checks inside of them. */
  readonly wrapped: readonly BoundWrapped[]
  readonly execute: Execute
  /** Of the result; of each item, where the reply is a stream. */
  readonly output: Output
  readonly streams: boolean
  /** The reply is made inside of the interceptors: `once()` keeps it. */
  readonly repliesInside: boolean
  /** Null when no plugin asks for the input. */
  readonly onInput: InputHook | null
}

/**
 * THE order, in one place: identity, guards, input, validation, checks, interceptors (and checks inside of them) around the command or
 * handler, output, reply.
 *
 * Each stage calls the next one directly as long as nothing is a promise, so that a call which is synchronous from end to end is
 * answered inside the callback that brought it. A stage that a route does not have is not in its chain.
 */
export function compilePipeline(stages: Stages): (call: ActiveCall) => void {
  let chain = stages.streams ? streaming(stages) : replying(stages)
  for (const check of stages.checks.toReversed()) chain = checkThen(check, chain)
  if (stages.validate === null) chain = withoutInput(chain)
  else chain = through(callless(stages.validate), chain)
  const afterInput = guarded(stages.onInput === null ? chain : observed(stages.onInput, chain))
  chain = (call) => call.peer.readInput(call, afterInput)
  for (const guard of stages.guards.toReversed()) chain = guardThen(guard, chain)
  if (stages.missingIdentity !== null) chain = identified(stages.missingIdentity, chain)
  const start = guarded(chain)
  return (call) => start(call, undefined)
}

function replying({ wrapped, execute, output, repliesInside }: Stages): Stage {
  const reply: Stage = (call, result) => call.succeed(result)
  if (repliesInside) return executing(wrapExecute(wrapped, projecting(execute, output)), reply)
  return executing(
    wrapExecute(wrapped, execute),
    through((_call, result) => output(result), reply),
  )
}

function projecting(execute: Execute, output: Output): Execute {
  return async (input, call) => {
    const result = await execute(input, call)
    try {
      return await output(result)
    } catch (error) {
      call.discard(result)
      throw error
    }
  }
}

/** The result is known by its class before anything else happens to it, so that it is ended when the call has ended meanwhile. */
function streaming({ wrapped, execute, output }: Stages): Stage {
  const read: Execute = (input, call) => {
    const result = execute(input, call)
    return isPromise(result) ? result.then(toItems) : toItems(result)
  }
  return executing(wrapExecute(wrapped, read), (call, items) => {
    if (items instanceof ItemsResult) StreamedReply.start(call, items, output)
  })
}

/**
 * Null for a route without `input`: its handler gets `undefined`, whatever was sent.
 *
 * @param isDecoded - The input is what was decoded for this call alone: a handler may get it without a copy.
 * @param name - Of the input, for errors.
 * @throws BootError as `compileWireInput`
 */
export function compileValidate(schema: AnySchema | null, isDecoded = true, name = 'The input'): Validate | null {
  if (schema === null) return null
  const wire = compileWireInput(schema, name)
  if (wire !== null) {
    const { convert } = wire
    const validate = compileSchema(schema, wire.toIssues)
    return (input) => validate(convert(input))
  }
  const accepts = isDecoded ? compileAccept(schema) : null
  const validate = compileSchema(schema, toIssues)
  // Running the schema takes two to four times as long.
  return accepts === null ? validate : (input) => (accepts(input) ? input : validate(input))
}

function compileSchema(schema: AnySchema, toWireIssues: typeof toIssues): Validate {
  const { validate } = schema['~standard']
  type Result = Awaited<ReturnType<typeof validate>>
  const finish = (result: Result): unknown => {
    if (result.issues === undefined) return result.value
    throw new ValidationError(undefined, toWireIssues(result.issues))
  }
  return (input) => {
    const result = validate(input)
    // A Standard Schema returns its result or a promise of it; only the latter has a `then`.
    return isPromise(result) ? result.then(finish) : finish(result as Result)
  }
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

/** Continues when a promise resolves, unless the call has ended in the meantime. */
function later(call: ActiveCall, promise: Promise<unknown>, next: Stage, isWork = false): void {
  promise.then(
    (value) => {
      if (call.decided) {
        if (isWork) call.succeedAfterEnd()
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

/** As `through`, for the command or handler with its interceptors: it may succeed after the end of its call. */
function executing(work: Execute, next: Stage): Stage {
  return (call, value) => {
    const result = call.onDone === null ? work(value, call) : notifyWhenDone(call, work, value)
    if (isPromise(result)) later(call, result, next, true)
    else next(call, result)
  }
}

/** Ordered calls wait for the end of the work itself, not for the reply that a deadline sends. */
async function notifyWhenDone(call: ActiveCall, work: Execute, input: unknown): Promise<unknown> {
  call.executing = true
  try {
    return await work(input, call)
  } finally {
    call.executing = false
    call.notifyDone()
  }
}

function callless(validate: Validate): (call: ActiveCall, input: unknown) => MaybePromise<unknown> {
  return (_call, input) => validate(input)
}

function observed(hook: InputHook, next: Stage): Stage {
  return (call, input) => {
    hook(call, input)
    next(call, input)
  }
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

/** `Object.assign` without symbols takes 30 ns less for the one or two keys of a step. */
function addTo<T extends object>(call: T, adds: T): void {
  for (const key in adds) if (Object.hasOwn(adds, key)) call[key] = adds[key]
}

function guardThen(guard: BoundGuard, next: Stage): Stage {
  // A step adds the same keys to every call: its type says so.
  let hasSymbols: boolean | null = null
  const added: Stage = (call, adds) => {
    if (typeof adds === 'object' && adds !== null) {
      hasSymbols ??= Object.getOwnPropertySymbols(adds).length > 0
      if (hasSymbols) Object.assign(call, adds)
      else addTo<object>(call, adds)
    }
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
