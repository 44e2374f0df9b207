import { type Changes, code } from './change.ts'
import { get, isNode, listAt, type Node, numberAt, textAt } from './json.ts'

interface ErrorRow {
  readonly status: number | null
  readonly retry: boolean
}

/** `x-error-codes` of answers, by code. `statusKey`: which of the two statuses is of this wire. */
export function errorsIn(
  answers: readonly Node[],
  statusKey: 'http_status' | 'status_code',
): ReadonlyMap<string, ErrorRow> {
  const rows = answers.flatMap((answer) => listAt(answer, 'x-error-codes')).filter(isNode)
  return new Map(
    rows.map((row) => [textAt(row, 'code'), { status: numberAt(row, statusKey), retry: get(row, 'retry') === true }]),
  )
}

export function compareErrors(
  old: ReadonlyMap<string, ErrorRow>,
  now: ReadonlyMap<string, ErrorRow>,
  where: string,
  changes: Changes,
): void {
  for (const [name, row] of now) {
    const known = old.get(name)
    if (known === undefined)
      changes.add('error-added', where, name, `may now answer with the error ${code(name)} (${row.status})`)
    else if (known.status !== row.status)
      changes.add('error-status', where, name, `the error ${code(name)} had status ${known.status}, now ${row.status}`)
    else if (known.retry !== row.retry)
      changes.add(
        'error-retry',
        where,
        name,
        `the error ${code(name)} ${row.retry ? 'now asks to try again' : 'no longer asks to try again'}`,
      )
  }
  for (const name of old.keys())
    if (!now.has(name)) changes.add('error-removed', where, name, `no longer answers with the error ${code(name)}`)
}

/** The status of a request that does not fit, as the document's table of errors has it. */
export function refusalOf(document: Node, statusKey: 'http_status' | 'status_code'): string {
  const row = errorsIn([document], statusKey).get('validation_error')
  const status = row?.status ?? null
  if (status === null) return 'an error'
  return statusKey === 'http_status' ? String(status) : `status_code ${status}`
}
