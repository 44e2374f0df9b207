import type { ActiveCall } from '../call/active-call.ts'

/** The calls of a connection that are running: null for none, and a set only for several. Most connections have no call at most times. */
export type RunningCalls = ActiveCall | Set<ActiveCall> | null

export function addCall(running: RunningCalls, call: ActiveCall): RunningCalls {
  if (running === null) return call
  if (running instanceof Set) return running.add(call)
  return new Set([running, call])
}

/** Without `call`, which must be one of them. */
export function removeCall(running: RunningCalls, call: ActiveCall): RunningCalls {
  if (!(running instanceof Set)) return null
  running.delete(call)
  return running.size === 0 ? null : running
}

export function hasCall(running: RunningCalls, call: ActiveCall): boolean {
  return running instanceof Set ? running.has(call) : running === call
}

export function countCalls(running: RunningCalls): number {
  if (running === null) return 0
  return running instanceof Set ? running.size : 1
}

/** A copy, so that calls may end meanwhile. */
export function listCalls(running: RunningCalls): readonly ActiveCall[] {
  if (running === null) return []
  return running instanceof Set ? [...running] : [running]
}
