import type { Change } from '../change.ts'
import type { Comparison } from '../compare-documents.ts'

/** A comparison, and what was decided about it. */
export interface Report extends Comparison {
  readonly old: string
  readonly new: string
  /** Ids of changes, and rules, of `--allow`. */
  readonly allowed: readonly string[]
  /** Whether changes to review let it pass. */
  readonly passesReview: boolean
}

export function isAllowed({ id, rule }: Change, { allowed }: Report): boolean {
  return allowed.includes(id) || allowed.includes(rule)
}

/** What makes the exit code 1. */
export function failuresOf(report: Report): readonly Change[] {
  return report.changes.filter(
    (change) =>
      !isAllowed(change, report) &&
      (change.severity === 'breaking' || (change.severity === 'review' && !report.passesReview)),
  )
}

export function countsOf({ changes }: Report): Readonly<Record<Change['severity'], number>> {
  const count = (severity: Change['severity']): number => changes.filter((each) => each.severity === severity).length
  return { breaking: count('breaking'), review: count('review'), compatible: count('compatible') }
}
