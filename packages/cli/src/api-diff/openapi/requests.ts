import { type Changes, code } from '../change.ts'
import { compareDeadline, compareLimit, compareLimits } from '../facts.ts'
import { get, has, type Node, nodeAt, numberAt } from '../json.ts'
import type { SchemaPair } from '../schema-changes.ts'
import { matchOf } from './media-types.ts'
import { type Operation, toObjectSchema } from './operations.ts'
import { compareStyles } from './styles.ts'

export interface Context {
  readonly where: string
  /** What a client gets whose request does not fit: `422`. */
  readonly refused: string
  readonly pair: SchemaPair
  readonly changes: Changes
}

export function compareRequests(old: Operation, now: Operation, context: Context): void {
  const { pair } = context
  compareStyles(old, now, context)
  for (const place of ['path', 'query', 'header', 'cookie'])
    pair.compare(toObjectSchema(old, place, now.pathNames), toObjectSchema(now, place, now.pathNames), {
      side: 'input',
      root: place,
      ...context,
    })
  compareBodies(old.node, now.node, context)
}

function compareBodies(oldOperation: Node, newOperation: Node, context: Context): void {
  const { where, refused, pair, changes } = context
  const isThere = [has(oldOperation, 'requestBody'), has(newOperation, 'requestBody')]
  const old = pair.old.follow(get(oldOperation, 'requestBody'))
  const now = pair.new.follow(get(newOperation, 'requestBody'))
  if (isThere[0] && !isThere[1])
    changes.add('body-removed', where, 'body', 'the body is no longer read: what clients send is ignored')
  if (get(old, 'required') !== true && get(now, 'required') === true)
    changes.add('body-required', where, 'body', `the body is now required: clients that do not send one get ${refused}`)
  if (!isThere[0] && isThere[1]) changes.add('input-relaxed', where, 'body', 'a body is now read')
  if (!isThere[0] || !isThere[1]) return
  const [before, after] = [nodeAt(old, 'content'), nodeAt(now, 'content')]
  for (const type of Object.keys(before)) {
    const taken = matchOf(type, after)
    if (taken === null)
      changes.add('input-media-type', where, `body ${type}`, `the body is no longer taken as ${code(type)}`)
    else
      pair.compare(get(nodeAt(before, type), 'schema'), get(nodeAt(after, taken), 'schema'), {
        side: 'input',
        root: 'body',
        where,
        refused,
      })
  }
  for (const type of Object.keys(after))
    if (matchOf(type, before) === null)
      changes.add('input-relaxed', where, `body ${type}`, `the body is now also taken as ${code(type)}`)
  compareLimit(numberAt(old, 'x-max-body-bytes'), numberAt(now, 'x-max-body-bytes'), 'x-max-body-bytes', where, changes)
  compareDeadline(old, now, 'x-body-timeout-ms', where, changes)
  compareLimits(nodeAt(old, 'x-files'), nodeAt(now, 'x-files'), where, changes)
}
