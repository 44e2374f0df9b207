/** What the `key` of a take stands for. One rule has one bucket for each key. */
export type RuleScope = 'identity' | 'address' | 'route' | 'custom'

/**
 * A limit as stores work on it: checked, with every figure worked out.
 *
 * The algorithm is GCRA, in whole microseconds, so that every store counts alike and nothing is ever rounded twice. A bucket is one
 * integer, `tat`: the moment at which it is full again. A take of `cost` points at `now`:
 *
 *     debt = max(0, tat - now)                            // as time; an absent bucket is full: debt 0
 *     wait = debt + cost * intervalUs - spanUs            // over 0: refused, may pass in `wait` microseconds
 *     tat' = now + debt + cost * intervalUs               // only when it passes; nothing changes when it is refused
 *     remaining = floor((spanUs - debt') / intervalUs)
 *     reset = debt'                                       // time until it is full
 *
 * A bucket whose `tat` lies in the past is the same as none: a store may forget it.
 *
 * An app has one object for each rule, so a store within the process may go by the object.
 */
export interface Rule {
  /** Unique within its scope in an app, the same in every process of it; printable ASCII without `{`, `}`, `"` and `\`. */
  readonly name: string
  readonly scope: RuleScope
  readonly points: number
  readonly periodMs: number
  /** What may pass at once above `points`. */
  readonly burst: number
  /** The bucket: `points + burst`. */
  readonly capacity: number
  /** One point is back after that long: the period over the points, rounded down to a whole microsecond. */
  readonly intervalUs: number
  /** The whole bucket is back after that long: `capacity * intervalUs`. A safe integer also when added to the time of day. */
  readonly spanUs: number
}
