import { countsOf, failuresOf, isAllowed, type Report } from './report.ts'

/** docs_site/api-diff.md describes the shape. */
export function reportJson(report: Report): string {
  const { kind, old, new: now, changes } = report
  const counts = countsOf(report)
  const shape = {
    version: 1,
    kind,
    old,
    new: now,
    passed: failuresOf(report).length === 0,
    ...counts,
    allowed: changes.filter((each) => isAllowed(each, report)).length,
    changes: changes.map((each) => ({ ...each, allowed: isAllowed(each, report) })),
  }
  return `${JSON.stringify(shape, null, 2)}\n`
}
