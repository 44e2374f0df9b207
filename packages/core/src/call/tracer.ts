import type { Operation, OperationSpan } from '../base/operations.ts'
import type { ActiveCall } from './active-call.ts'
import type { Call } from './call.ts'
import type { CallOutcome } from './call-outcome.ts'

/**
 * What traces an app: one plugin, by `host.trace`. None of its methods may throw, and `run` and `task` call `work` once, at once.
 *
 * `currentCall()` and the like show how context follows asynchronous work: `AsyncLocalStorage`, which core keeps intact from `run` to the reply.
 */
export interface Tracer {
  /**
   * A call begins: before all `onCall` hooks, so that their log lines have the trace that `setTrace` sets. The only place where `call.address` and
   * `call.headers` may be read.
   */
  start(call: Call): void
  /**
   * Runs stages of a call, whose asynchronous rest goes on after it returns. More than once where a call has several beginnings: its identification,
   * its pipeline, its deadline. Not at all for one that is refused before.
   */
  run<C extends Call>(call: C, work: (call: C) => void): void
  /**
   * A call has ended, once for each that has started: after all `onReply` hooks, and for a streamed body over HTTP when its last byte was given to
   * the transport.
   */
  end(call: Call, outcome: CallOutcome): void
  /** Runs a task of the app or of a plugin once. Rejects as `work` does. */
  task(name: string, work: () => Promise<void>): Promise<void>
  /** Work of a call, of a task or of other code begins. Null: it is not traced. */
  operation(operation: Operation): OperationSpan | null
}

/** For what goes on with a call and begins somewhere else: in a timer, or when its client disconnects. */
export function runInTrace(call: ActiveCall, work: (call: ActiveCall) => void): void {
  const { tracer } = call.services
  if (tracer === null) work(call)
  else tracer.run(call, work)
}

/** A property, not a field of calls: few answers go on after their call. */
const key: unique symbol = Symbol('body')

interface Streamed {
  [key]?: Promise<boolean>
}

/** The body of the answer goes on after the end of the call. `isWhole` resolves when it has ended, with whether all of it was sent. */
export function setBodyEnd(call: Call, isWhole: Promise<boolean>): void {
  const streamed: Call & Streamed = call
  streamed[key] = isWhole
}

/** Undefined for a call that ended with its answer. */
export function bodyEndOf(call: Call): Promise<boolean> | undefined {
  const { [key]: isWhole }: Call & Streamed = call
  return isWhole
}
