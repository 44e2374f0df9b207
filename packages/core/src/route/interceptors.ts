import { dropSafe } from '../base/drop-safe.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { EffectsMark } from '../call/effects.ts'
import { InternalError } from '../errors/app-error.ts'
import type { AroundRun, CheckRun, InterceptorRun, Next, Outcome } from './step.ts'

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
  readonly run: CheckRun<unknown, ActiveCall>
}
/** A part of `once()`. */
interface Around {
  readonly kind: 'around'
  readonly run: AroundRun
}
export type BoundWrapped = BoundInterceptor | WrappedCheck | Around
export type Execute = (input: unknown, call: ActiveCall) => MaybePromise<unknown>

/** Wraps the command or handler with interceptors and the checks inside of them, the first outermost. */
export function wrapExecute(wrapped: readonly BoundWrapped[], execute: Execute): Execute {
  let work = execute
  for (const step of wrapped.toReversed()) work = wrap(step, work)
  return work
}

function wrap(step: BoundWrapped, execute: Execute): Execute {
  if (step.kind === 'check') return checked(step, execute)
  return step.kind === 'around' ? around(step, execute) : intercepted(step, execute)
}

/** It may run what it wraps again, or not at all. */
function around({ run }: Around, execute: Execute): Execute {
  return (input, call) =>
    run(input, call, async () => {
      throwIfSettled(call)
      return await execute(input, call)
    })
}

/** A check inside of an interceptor: its error is one of what the interceptor wraps. */
function checked({ run }: WrappedCheck, execute: Execute): Execute {
  return (input, call) => {
    const result = run(input, call)
    if (!isPromise(result)) return execute(input, call)
    return result.then(() => {
      throwIfSettled(call)
      return execute(input, call)
    })
  }
}

/** Nothing more begins for a call that has ended. */
function throwIfSettled(call: ActiveCall): void {
  if (call.decided) throw call.signal.reason ?? new Error('The call has been answered already')
}

function intercepted({ run, holdsEffects, mayRepeat }: BoundInterceptor, execute: Execute): Execute {
  return async (input, call) => {
    // A new object for each execution: only the interceptor that got it from `next` can return it.
    const outcome = {} as Outcome
    const attempts = mayRepeat ? new Attempts(call, input) : null
    let result: unknown
    let may = true
    let restore: (() => void) | null = null
    const proceed = async (adds: unknown): Promise<Outcome> => {
      if (!may) throw new InternalError({ cause: new Error('An interceptor called next twice') })
      may = false
      // Answered while the interceptor waited for what it needs.
      throwIfSettled(call)
      restore?.()
      call.discard(result)
      restore = addForNow(call, adds)
      try {
        result = await execute(attempts === null ? input : attempts.begin(), call)
      } finally {
        // Also after a success: the interceptor's own end may fail then, as a commit does.
        may = mayRepeat
      }
      return outcome
    }
    // An interceptor may fail by itself while what it wraps is still running, and fails later.
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

/** What an interceptor adds is on the call only inside of it: the handle of a transaction is invalid after its end. */
function addForNow(call: ActiveCall, adds: unknown): (() => void) | null {
  if (typeof adds !== 'object' || adds === null) return null
  const keys = Object.keys(adds)
  const before = keys.map((key) => Object.getOwnPropertyDescriptor(call, key))
  Object.assign(call, adds)
  return () => {
    // The last one first: V8 keeps an object fast that loses the property which it got last.
    for (let i = keys.length - 1; i >= 0; i--) {
      const [key, old] = [keys[i] ?? '', before[i]]
      if (old === undefined) Reflect.deleteProperty(call, key)
      else Object.defineProperty(call, key, old)
    }
  }
}

/** The attempts of an interceptor with `mayRepeat`: each starts without what the one before changed on the call. */
class Attempts {
  readonly #call: ActiveCall
  readonly #input: unknown
  #mark: EffectsMark | null = null
  #headers: readonly (readonly [name: string, value: string])[] | null = null

  constructor(call: ActiveCall, input: unknown) {
    this.#call = call
    this.#input = input
  }

  /** Returns the input of the new attempt: a copy, since a handler may modify its input. */
  begin(): unknown {
    const { effects, addedHeaders } = this.#call
    if (this.#mark === null || this.#headers === null) {
      this.#mark = effects.mark
      this.#headers = addedHeaders === null ? [] : [...addedHeaders.entries()]
    } else {
      effects.rewind(this.#mark)
      addedHeaders?.reset(this.#headers)
    }
    return copyPlain(this.#input)
  }
}

/** Copies arrays, plain objects and dates deeply; any other object is kept as it is. */
export function copyPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyPlain)
  if (value instanceof Date) return new Date(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy: object = Object.create(prototype)
  for (const [key, part] of Object.entries(value)) {
    Object.defineProperty(copy, key, { value: copyPlain(part), writable: true, enumerable: true, configurable: true })
  }
  return copy
}
