import { compareDocuments } from '../api-diff/compare-documents.ts'
import { DocumentError } from '../api-diff/document-error.ts'
import { readDocument } from '../api-diff/read-document.ts'
import { formats } from '../api-diff/reports/formats.ts'
import { failuresOf, type Report } from '../api-diff/reports/report.ts'
import { isRule } from '../api-diff/rules.ts'
import type { Command, Terminal } from '../command.ts'
import { parseOptions } from '../parse-options.ts'
import { UsageError } from '../usage-error.ts'

const help = `Usage: twinwire api diff <old> <new> [options]

Lists what changed between two descriptions of one app: both OpenAPI 3.1, or both AsyncAPI 3.0.
<old> and <new> are files of JSON, addresses (http, https), or - for the standard input.

Options:
  --format <name>     text (default), json or markdown
  --allow <id>        Accept a change by its id, or all changes of a rule; may be repeated
  --review <word>     What cannot be decided: fail (default) counts as breaking, pass does not
  --header <header>   Sent to addresses: "authorization: Bearer …"; may be repeated
  --help, -h          Show this

Exit code:
  0  nothing that breaks clients
  1  changes that break clients, or that have to be reviewed
  2  the documents could not be compared
`

const options = {
  format: { type: 'string', default: 'text' },
  allow: { type: 'string', multiple: true },
  review: { type: 'string', default: 'fail' },
  header: { type: 'string', multiple: true },
} as const

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions('api diff', args, options)
  const [old, now, ...more] = positionals
  if (old === undefined || now === undefined || more.length > 0)
    throw new UsageError(`api diff takes two documents, old and new; there are ${positionals.length}`)
  if (old === '-' && now === '-') throw new UsageError('only one of the documents can be the standard input')
  const format = formats.get(values.format)
  if (format === undefined)
    throw new UsageError(`--format is ${[...formats.keys()].join(', ')}, not ${JSON.stringify(values.format)}`)
  if (values.review !== 'fail' && values.review !== 'pass')
    throw new UsageError(`--review is fail or pass, not ${JSON.stringify(values.review)}`)
  const { allow = [], header = [] } = values
  for (const id of allow) checkAllowed(id)
  const headers = toHeaders(header)
  try {
    const reading = { headers, stdin: terminal.stdin }
    const [before, after] = [await readDocument(old, reading), await readDocument(now, reading)]
    const report: Report = {
      ...compareDocuments(before, after),
      old,
      new: now,
      allowed: allow,
      passesReview: values.review === 'pass',
    }
    terminal.out(format(report))
    warnOfUnused(report, terminal)
    return failuresOf(report).length === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    terminal.err(`twinwire api diff: ${error.message}\n`)
    return 2
  }
}

/** An id begins with its rule. */
function checkAllowed(id: string): void {
  const [rule = ''] = id.split(' ', 1)
  if (!isRule(rule))
    throw new UsageError(`--allow takes the id of a change, or a rule; there is no rule ${JSON.stringify(rule)}`)
}

function toHeaders(lines: readonly string[]): Headers {
  const headers = new Headers()
  for (const line of lines) {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? []
    // The value may be a secret.
    if (name === undefined || value === undefined) throw new UsageError('--header is "name: value"')
    try {
      headers.append(name, value)
    } catch {
      throw new UsageError(`--header ${JSON.stringify(name)} is not a header of HTTP`)
    }
  }
  return headers
}

/** What was accepted once, and is no longer there, would accept the next one of its kind. */
function warnOfUnused({ allowed, changes }: Report, terminal: Terminal): void {
  for (const id of allowed)
    if (!changes.some((change) => change.id === id || change.rule === id))
      terminal.err(`twinwire api diff: --allow ${JSON.stringify(id)} fits no change: remove it\n`)
}

export const apiDiff: Command = { help, run }
