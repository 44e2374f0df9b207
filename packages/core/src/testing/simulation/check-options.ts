import type { NetworkDelays } from './link.ts'

/** Refuses what would play nothing, or would never end. @throws TypeError that says what to change */
export function checkSimulation({
  seed,
  runs = 1,
  nodes = 1,
  maxMs = 1,
  network: { minDelayMs = 0, maxDelayMs = Math.max(20, minDelayMs) } = {},
}: {
  readonly seed: number
  readonly runs?: number
  readonly nodes?: number | undefined
  readonly maxMs?: number | undefined
  readonly network?: NetworkDelays | undefined
}): void {
  if (!Number.isSafeInteger(seed)) throw new TypeError(`seed must be an integer, received ${seed}`)
  for (const [name, value] of Object.entries({ runs, nodes }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TypeError(`${name} must be an integer of at least 1, received ${value}`)
  if (!(maxMs > 0)) throw new TypeError(`maxMs must be more than 0, received ${maxMs}`)
  if (!(minDelayMs >= 0 && maxDelayMs >= minDelayMs && Number.isFinite(maxDelayMs)))
    throw new TypeError(`network: minDelayMs (${minDelayMs}) must be from 0 to maxDelayMs (${maxDelayMs})`)
}

/** @throws TypeError */
export function checkFaults(everyMs: number, kinds: readonly string[]): void {
  if (!(everyMs > 0 && Number.isFinite(everyMs)))
    throw new TypeError(`everyMs must be more than 0, received ${everyMs}`)
  if (kinds.length === 0) throw new TypeError('kinds must name a fault: cut, hold, broker, service or kill')
}
