import type { Change } from '../change.ts'
import { isAllowed, type Report } from './report.ts'
import { headings, summarize } from './summary.ts'

/** For a comment of a pull request. */
export function reportMarkdown(report: Report): string {
  const lines = [`### ${summarize(report)}`]
  let heading = ''
  for (const change of report.changes) {
    if (headings[change.severity] !== heading) {
      heading = headings[change.severity]
      lines.push('', `#### ${heading}`, '')
    }
    lines.push(toItem(change, report))
  }
  return `${lines.join('\n')}\n`
}

function toItem(change: Change, report: Report): string {
  const note = isAllowed(change, report) ? ' (allowed)' : ''
  return `- **${escapeMarkup(change.where)}**: ${escapeMarkup(change.message)}${note}  \n  ${toCode(change.id)}`
}

function toCode(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}

/** Names of a document must not become markup, a mention such as `@team`, or a reference such as `#1`. What is in backticks is shown as it is. */
function escapeMarkup(text: string): string {
  const parts = text.split('`')
  const isPaired = parts.length % 2 === 1
  return parts
    .map((part, i) =>
      isPaired && i % 2 === 1
        ? `\`${part}\``
        : part.replace(/[\\*_[\]<>|~#&@`]/g, (each) => `&#${each.charCodeAt(0)};`),
    )
    .join('')
}
