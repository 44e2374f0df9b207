/** Meaning of the `key` of a charge. A rule has one bucket for each key. */
export type RuleScope = 'identity' | 'address' | 'route' | 'custom'

/**
 * A validated limit with every derived value, as stores use it.
 *
 * The algorithm is GCRA in integer microseconds, so that every store computes the same numbers and rounding errors do not add up. A bucket
 * is one integer, `tat` (theoretical arrival time): the moment at which it is full again. A charge of `cost` points at `now`:
 *
 *     debt = max(0, tat - now)                            // as time; a missing bucket is full: debt 0
 *     wait = debt + cost * intervalUs - spanUs            // above 0: refused, accepted in `wait` microseconds
 *     tat' = now + debt + cost * intervalUs               // only when accepted; a refused charge changes nothing
 *     remaining = floor((spanUs - debt') / intervalUs)
 *     reset = debt'                                       // time until the bucket is full
 *
 * A bucket whose `tat` is in the past equals a missing bucket, so a store may delete it.
 *
 * An application has one object per rule, so a store inside the process may use the object as a map key.
 */
export interface Rule {
  /** Unique within its scope, and the same in every process of the application; printable ASCII without `{`, `}`, `"` and `\`. */
  readonly name: string
  readonly scope: RuleScope
  readonly points: number
  readonly periodMs: number
  /** Points that are available at once in addition to `points`. */
  readonly burst: number
  /** Size of the bucket: `points + burst`. */
  readonly capacity: number
  /** Time in which one point refills: the period divided by the points, rounded down to an integer. */
  readonly intervalUs: number
  /** Time in which an empty bucket refills: `capacity * intervalUs`. Remains a safe integer when added to the time of day. */
  readonly spanUs: number
}
