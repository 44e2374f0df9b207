import { type Comparison, names } from '../compare-documents.ts'
import type { Severity } from '../rules.ts'

export const headings: Readonly<Record<Severity, string>> = {
  breaking: 'Breaking',
  review: 'To review',
  compatible: 'Compatible',
}

/** `OpenAPI: 2 breaking, 1 to review, 3 compatible`. */
export function summarize({ kind, changes }: Comparison): string {
  if (changes.length === 0) return `${names[kind]}: no changes`
  const count = (severity: Severity): number => changes.filter((each) => each.severity === severity).length
  return `${names[kind]}: ${count('breaking')} breaking, ${count('review')} to review, ${count('compatible')} compatible`
}
