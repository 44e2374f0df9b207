import type { Change } from '../change.ts'
import { isAllowed, type Report } from './report.ts'
import { headings, summarize } from './summary.ts'

export function reportText(report: Report): string {
  const lines = [summarize(report)]
  let heading = ''
  let where = ''
  for (const change of report.changes) {
    if (headings[change.severity] !== heading) {
      heading = headings[change.severity]
      where = ''
      lines.push('', heading)
    }
    if (change.where !== where) {
      where = change.where
      lines.push(`  ${where}`)
    }
    lines.push(`    ${change.message}`, `      ${toId(change, report)}`)
  }
  return `${lines.join('\n')}\n`
}

function toId(change: Change, report: Report): string {
  return isAllowed(change, report) ? `allowed: ${change.id}` : change.id
}
