import { BootError } from '../base/boot-error.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { RouteInfo } from '../call/call.ts'
import type { IdentityPolicy } from '../call/compiled-route.ts'
import { isStreamSchema } from '../call/item-stream.ts'
import { isMount } from './compile-http.ts'
import type { BoundWrapped } from './interceptors.ts'
import type { RouteDefinition } from './route.ts'
import type { AnyStep, CheckRun, InterceptorRun, OnceRuns, StepOnce } from './step.ts'
import { splitUse, type Use } from './use.ts'

/** Of the `once()` in a list; null without one. */
export function findOnce(use: Use): StepOnce | null {
  return use.find(({ once }) => once !== null)?.once ?? null
}

/**
 * Binds interceptors and the checks inside of them. Of a `once()`, one part goes around the next step, and one directly inside of it.
 *
 * @throws BootError `bad_route`
 */
export function bindWrapped(
  { name }: RouteInfo,
  wrapped: Use,
  bind: <Run>(step: AnyStep) => Run,
): readonly BoundWrapped[] {
  const bound: BoundWrapped[] = []
  let once: OnceRuns | null = null
  for (const step of wrapped) {
    if (step.once !== null) {
      once = bind<OnceRuns>(step)
      bound.push({ kind: 'around', run: once.outside })
      continue
    }
    const problem = once?.refuse(step) ?? null
    if (problem !== null) throw new BootError('bad_route', `Route ${name}: ${problem}`)
    const { holdsEffects, mayRepeat } = step
    if (step.kind === 'check') bound.push({ kind: 'check', run: bind<CheckRun<unknown, ActiveCall>>(step) })
    else
      bound.push({
        kind: 'interceptor',
        run: bind<InterceptorRun<ActiveCall, unknown>>(step),
        holdsEffects,
        mayRepeat,
      })
    if (once !== null) bound.push({ kind: 'around', run: once.inside })
    once = null
  }
  return bound
}

/**
 * What `once()` cannot promise is refused at boot.
 *
 * @throws BootError `bad_step_order`, `bad_route`
 */
export function checkOnce(info: RouteInfo, definition: RouteDefinition, identity: IdentityPolicy): void {
  const { use } = definition
  const at = use.findIndex(({ once }) => once !== null)
  if (at === -1) return
  checkOnceOrder(info, use, at)
  const problem = findProblem(definition, identity)
  if (problem !== null) throw new BootError('bad_route', `Route ${info.name}: once() ${problem}`)
}

/** In the transaction the key, the effects and the reply are written together: what is before it would run again. */
function checkOnceOrder({ name }: RouteInfo, use: Use, at: number): void {
  const wrong = (problem: string): BootError => new BootError('bad_step_order', `Route ${name}: ${problem}`)
  if (use.slice(at + 1).some(({ once }) => once !== null)) throw wrong('once() is in use twice: remove one')
  const next = use[at + 1]
  if (next === undefined || next.kind !== 'interceptor' || next.needs !== use[at]?.needs || !next.holdsEffects)
    throw wrong('once() needs a transaction(): write it directly behind once() in use')
  const { checks, wrapped } = splitUse(use.slice(0, at))
  const check = [...checks, ...wrapped].find(({ kind }) => kind === 'check')
  if (check !== undefined)
    throw wrong(
      `the check '${check.name}' is before once(), so that it would refuse a repeated call whose first one was done: write it behind transaction()`,
    )
  const outer = wrapped.find(({ holdsEffects }) => holdsEffects)
  if (outer !== undefined)
    throw wrong(
      `once() is inside of '${outer.name}', which may still roll back when the reply is known: write once() and its transaction() first`,
    )
}

function findProblem(definition: RouteDefinition, identity: IdentityPolicy): string | null {
  const { http, output } = definition
  if (identity !== 'required')
    return "needs a certain identity, since callers without one would share their keys: set access: 'authenticated', or remove once()"
  if (isMount(definition) || (output !== null && isStreamSchema(output)))
    return 'keeps replies, and the reply of this route is a stream, a file or a Response: remove once()'
  if (http?.body === 'stream' || http?.body === 'multipart')
    return 'compares the inputs of calls with the same key, and a streamed body is read once: remove once()'
  return null
}
