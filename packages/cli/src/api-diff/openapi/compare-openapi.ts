import { alternativesOfSecurity, compareAccess } from '../access.ts'
import { type Change, Changes, code } from '../change.ts'
import { refusalOf } from '../errors.ts'
import { compareFacts } from '../facts.ts'
import { listAt, type Node, stringsAt, textAt, toNode } from '../json.ts'
import { SchemaSource } from '../schema/schema-source.ts'
import { SchemaPair } from '../schema-changes.ts'
import { type Operation, operationsOf } from './operations.ts'
import { compareRequests } from './requests.ts'
import { compareResponses } from './responses.ts'

/** What an HTTP client of the old description meets. */
export function compareOpenApi(old: Node, now: Node): readonly Change[] {
  const changes = new Changes('http')
  const pair = new SchemaPair(
    new SchemaSource(old, 'The old document'),
    new SchemaSource(now, 'The new document'),
    changes,
  )
  const [before, after] = [operationsOf(old, pair.old), operationsOf(now, pair.new)]
  const refused = refusalOf(now, 'http_status')
  for (const [key, operation] of before) {
    const other = after.get(key)
    if (other === undefined)
      changes.add('route-removed', operation.name, '', `was removed${movedTo(operation, after, before)}`)
    else compareOperations([operation, old], [other, now], refused, pair, changes)
  }
  for (const [key, { name }] of after) if (!before.has(key)) changes.add('route-added', name, '', 'is new')
  compareServers(old, now, changes)
  return changes.toList()
}

/** The same route under another method or path. */
function movedTo(
  { node }: Operation,
  after: ReadonlyMap<string, Operation>,
  before: ReadonlyMap<string, Operation>,
): string {
  const route = textAt(node, 'x-route')
  const moved = [...after].find(
    ([key, other]) => !before.has(key) && route !== '' && textAt(other.node, 'x-route') === route,
  )
  return moved === undefined ? '' : `: the route ${code(route)} is now ${code(moved[1].name)}`
}

function compareOperations(
  [old, oldDocument]: readonly [Operation, Node],
  [now, newDocument]: readonly [Operation, Node],
  refused: string,
  pair: SchemaPair,
  changes: Changes,
): void {
  const where = now.name
  const [before, after] = [textAt(old.node, 'operationId'), textAt(now.node, 'operationId')]
  if (before !== after)
    changes.add(
      'operation-id',
      where,
      '',
      `operationId was ${code(before)}, now ${code(after)}: generated clients call it so`,
    )
  compareAccess(
    alternativesOfSecurity(old.node, oldDocument, pair.old),
    alternativesOfSecurity(now.node, newDocument, pair.new),
    where,
    changes,
  )
  compareFacts(old.node, now.node, where, changes)
  compareRequests(old, now, { where, refused, pair, changes })
  compareResponses(old.node, now.node, { where, refused, pair, changes })
  const notes = stringsAt(old.node, 'x-notes')
  for (const note of stringsAt(now.node, 'x-notes'))
    if (!notes.includes(note)) changes.add('input-notes', where, '', `something is no longer described: ${code(note)}`)
}

function compareServers(old: Node, now: Node, changes: Changes): void {
  const urls = (document: Node): readonly string[] =>
    listAt(document, 'servers').map((each) => textAt(toNode(each), 'url'))
  const left = urls(now)
  for (const url of urls(old))
    if (!left.includes(url)) changes.add('server-removed', 'servers', url, `the server ${code(url)} is no longer named`)
}
