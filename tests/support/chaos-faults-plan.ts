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
  /** Until it is fixed. */
  readonly lastsMs: number
}

/** Faults that overlap. */
export type FaultRound = readonly Fault[]

/** What happens to processes: each has one fault at a time. Of nodes there are two. */
const processes: readonly { readonly kinds: readonly FaultKind[]; readonly count: number }[] = [
  { kinds: ['nodeKilled', 'nodeStopped', 'nodeFrozen'], count: 2 },
  { kinds: ['databaseKilled', 'databaseFrozen'], count: 1 },
  { kinds: ['brokerKilled', 'brokerFrozen'], count: 1 },
  { kinds: ['issuerStopped', 'issuerFrozen'], count: 1 },
]

/** First each kind alone, in any order; then two or three of them at once. */
export function planFaults(random: Random, rounds: number): readonly FaultRound[] {
  const left = [...faultKinds]
  const toRound = (kinds: readonly FaultKind[]): FaultRound => {
    const first = random.int(0, 1)
    return kinds.flatMap((kind, i) => {
      const of = processes.find((each) => each.kinds.includes(kind))
      const before = kinds.slice(0, i).filter((each) => of?.kinds.includes(each)).length
      const fault: Fault = {
        kind,
        node: of === undefined ? random.pick([0, 1]) : (first + before) % 2 === 0 ? 0 : 1,
        delayMs: random.int(0, 800),
        // Also longer than the deadline of a call.
        lastsMs: random.chance(0.2) ? random.int(3000, 4500) : random.int(50, 1500),
      }
      return of !== undefined && before >= of.count ? [] : [fault]
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
