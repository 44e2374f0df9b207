import type { Random } from '../differential/random.ts'

/** What may happen to the parts of a system. `Cut`: its connections are reset. `Frozen`: it takes bytes, and does nothing. */
export const faultKinds = [
  'nodeKilled',
  'nodeStopped',
  'nodeFrozen',
  'clientsCut',
  'clientsSlow',
  'databaseKilled',
  'databaseFrozen',
  'databaseCut',
  'brokerKilled',
  'brokerFrozen',
  'brokerCut',
  'issuerStopped',
  'issuerFrozen',
  'observersMoved',
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface Fault {
  readonly kind: FaultKind
  /** Of a node: the one, or the other. */
  readonly node: 0 | 1
  readonly delayMs: number
  /** Until it is mended. */
  readonly lastsMs: number
}

/** Faults that overlap. */
export type FaultRound = readonly Fault[]

const ofProcesses: ReadonlySet<FaultKind> = new Set(['nodeKilled', 'nodeStopped', 'nodeFrozen'])

/** First each kind alone, in any order; then two or three of them at once, of which a process has one. */
export function planFaults(random: Random, rounds: number): readonly FaultRound[] {
  const left = [...faultKinds]
  const toRound = (kinds: readonly FaultKind[]): FaultRound => {
    const first = random.int(0, 1)
    let processes = 0
    return kinds.flatMap((kind) => {
      const fault = {
        kind,
        node: random.pick([0, 1] as const),
        delayMs: random.int(0, 800),
        // Also longer than the deadline of a call.
        lastsMs: random.chance(0.2) ? random.int(3000, 4500) : random.int(50, 1500),
      }
      if (!ofProcesses.has(kind)) return [fault]
      processes += 1
      const node = processes % 2 === first ? 0 : 1
      return processes > 2 ? [] : [{ ...fault, node }]
    })
  }
  return Array.from({ length: rounds }, () => {
    if (left.length > 0) return toRound(left.splice(random.int(0, left.length - 1), 1))
    const kinds = [...faultKinds]
    return toRound(
      Array.from({ length: random.int(2, 3) }, () => kinds.splice(random.int(0, kinds.length - 1), 1)).flat(),
    )
  })
}
