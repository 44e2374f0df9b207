import { code } from '../change.ts'
import { compareErrors, errorsIn } from '../errors.ts'
import { get, has, type Node, nodeAt, textAt } from '../json.ts'
import type { SchemaSource } from '../schema/schema-source.ts'
import { matchOf } from './media-types.ts'
import { schemaOf } from './operations.ts'
import type { Context } from './requests.ts'

type Answers = ReadonlyMap<string, Node>

export function compareResponses(old: Node, now: Node, context: Context): void {
  const { where, changes, pair } = context
  const [before, after] = [answersOf(old, pair.old), answersOf(now, pair.new)]
  const kinds = [textAt(old, 'x-reply'), textAt(now, 'x-reply')]
  const isOtherKind = kinds[0] !== kinds[1] && !kinds.includes('')
  if (isOtherKind) changes.add('reply-kind', where, 'reply', `the answer was a ${kinds[0]}, now a ${kinds[1]}`)
  compareStatuses(before, after, context)
  compareErrors(
    errorsIn([...before.values()], 'http_status'),
    errorsIn([...after.values()], 'http_status'),
    where,
    changes,
  )
  for (const [status, answer] of after) {
    const known = before.get(status)
    if (known === undefined) continue
    if (!isOtherKind || isError(status)) compareAnswer(status, known, answer, context)
    pair.compare(headersOf(known, pair.old), headersOf(answer, pair.new), {
      side: 'output',
      root: isError(status) ? `headers of ${status}` : 'headers',
      ...context,
    })
  }
}

function answersOf(operation: Node, source: SchemaSource): Answers {
  const answers = Object.entries(nodeAt(operation, 'responses')).map(
    ([status, value]) => [status, source.follow(value)] as const,
  )
  return new Map(answers)
}

function isError(status: string): boolean {
  return status.startsWith('4') || status.startsWith('5')
}

function compareStatuses(before: Answers, after: Answers, { where, changes }: Context): void {
  const kept = [...before.keys()].some((status) => !isError(status) && after.has(status))
  for (const [status, answer] of after) {
    // Those with codes are told by their codes.
    if (before.has(status) || (isError(status) && has(answer, 'x-error-codes'))) continue
    if (isError(status)) changes.add('error-added', where, status, `may now answer with status ${status}`)
    else
      changes.add(
        'status-added',
        where,
        status,
        `may now answer with status ${status}: clients know only ${list(before)}`,
      )
  }
  for (const [status, answer] of before) {
    if (after.has(status) || (isError(status) && has(answer, 'x-error-codes'))) continue
    if (isError(status)) changes.add('error-removed', where, status, `no longer answers with status ${status}`)
    else if (kept)
      changes.add(
        'status-dropped',
        where,
        status,
        `no longer answers with status ${status}: check that no client waits for it`,
      )
    else changes.add('status-removed', where, status, `no longer answers with status ${status}: now ${list(after)}`)
  }
}

function list(answers: Answers): string {
  return [...answers.keys()].filter((status) => !isError(status)).join(', ') || 'errors'
}

function compareAnswer(status: string, old: Node, now: Node, { where, changes, pair, refused }: Context): void {
  const [before, after] = [nodeAt(old, 'content'), nodeAt(now, 'content')]
  const error = isError(status)
  const root = error ? `error ${status}` : 'reply'
  for (const type of Object.keys(after)) {
    const known = matchOf(type, before)
    if (known === null) continue
    const [was, is] = [nodeAt(before, known), nodeAt(after, type)]
    const hasCodes = has(old, 'x-error-codes') && has(now, 'x-error-codes')
    const leaveOut = (path: string): boolean =>
      error && hasCodes && (path === 'error.code' || path.startsWith('error.details'))
    for (const [key, name] of [
      ['schema', root],
      ['x-item-schema', 'item'],
    ] as const)
      if (has(was, key) || has(is, key))
        pair.compare(get(was, key), get(is, key), { side: 'output', root: name, where, refused, leaveOut })
  }
  for (const type of Object.keys(before))
    if (matchOf(type, after) === null && !Object.keys(after).some((each) => matchOf(each, { [type]: true }) !== null))
      changes.add('output-media-type', where, `${root} ${type}`, `the answer is no longer ${code(type)}`)
}

/** Headers as the keys of an object. */
function headersOf(answer: Node, source: SchemaSource): Node {
  const headers = Object.entries(nodeAt(answer, 'headers')).map(
    ([name, value]) => [name.toLowerCase(), source.follow(value)] as const,
  )
  return {
    type: 'object',
    properties: Object.fromEntries(headers.map(([name, header]) => [name, schemaOf(header) ?? true])),
    required: headers.filter(([, header]) => get(header, 'required') === true).map(([name]) => name),
  }
}
