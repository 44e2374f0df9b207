import type { Manifest } from './manifest.ts'

export interface Closure {
  readonly code: number
  readonly reason: string
}

/** What to do after a close code, where no manifest says it. All other codes: connect again. */
const known: Readonly<Record<number, string>> = {
  1000: 'no',
  1008: 'later',
  1012: 'jittered',
  4001: 'with a new token',
  4003: 'with a new token',
  4004: 'with a new login',
}

/** `no`, `yes`, `later`, `jittered`, `with a new token` or `with a new login`. */
export function reconnectHint({ code, reason }: Closure, rows: Manifest['closes']): string {
  const row = rows.find((each) => each.code === code && (each.reason === undefined || each.reason === reason))
  // The other reasons of 1008 are limits, which pass.
  return row?.reconnect ?? (/^Too many/.test(reason) ? 'no' : (known[code] ?? 'yes'))
}

/** Full jitter: clients that were cut off together come back spread. `attempt` counts from 0. */
export function backoffDelay({ minMs, maxMs }: { minMs: number; maxMs: number }, attempt: number): number {
  return Math.random() * Math.min(maxMs, minMs * 2 ** attempt)
}
