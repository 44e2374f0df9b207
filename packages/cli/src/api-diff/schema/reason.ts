/** What a value of one schema meets in the other. */
export type ReasonKind =
  | 'type'
  | 'value'
  | 'required'
  | 'closed'
  | 'range'
  | 'length'
  | 'count'
  | 'pattern'
  | 'format'
  | 'check'
  | 'option'
  | 'unclear'
  | 'key'
  | 'default'
  | 'deprecated'

/** Why a value that `from` describes may not be one that `to` describes. */
export interface Reason {
  readonly kind: ReasonKind
  /** Keys on the way to the value; `[]` is an item of a list, `{}` the value of a key without a name. */
  readonly at: readonly string[]
  /** Of kinds `required`, `closed` and `key`. */
  readonly key: string | null
  /** What `from`, and what `to` says. */
  readonly from: string
  readonly to: string
}

/** These say something about the difference; every value fits all the same. */
const remarks: readonly ReasonKind[] = ['key', 'default', 'deprecated']
/** Whether a value exists that does not fit cannot be told. */
const undecided: readonly ReasonKind[] = ['pattern', 'format', 'check', 'unclear']

function isRemark({ kind }: Reason): boolean {
  return remarks.includes(kind)
}

export function isUndecided({ kind }: Reason): boolean {
  return undecided.includes(kind)
}

/** Whether every value fits. */
export function fits(reasons: readonly Reason[]): boolean {
  return reasons.every(isRemark)
}

export function below(key: string, reasons: readonly Reason[]): readonly Reason[] {
  return reasons.map((reason) => ({ ...reason, at: [key, ...reason.at] }))
}

export function withoutRepeats(reasons: readonly Reason[]): readonly Reason[] {
  const seen = new Set<string>()
  return reasons.filter((reason) => {
    const { kind, at, key, from, to } = reason
    // Only values are told apart: other kinds describe both schemas.
    const id = JSON.stringify([kind, at, key, ...(kind === 'value' ? [from, to] : [])])
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}
