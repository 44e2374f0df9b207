import { alternativesOfSteps, compareAccess } from '../access.ts'
import { type Change, Changes, code } from '../change.ts'
import { refusalOf } from '../errors.ts'
import { compareDeadline, compareFacts } from '../facts.ts'
import { type Node, nodeAt, textAt, toNode } from '../json.ts'
import { pairUp } from '../pair-up.ts'
import { SchemaSource } from '../schema/schema-source.ts'
import { SchemaPair } from '../schema-changes.ts'
import { compareChannels } from './channels.ts'
import { type Context, compareEvents, compareFrames, compareRoutes } from './messages.ts'
import { type Operation, operationsOf, sameOperation, toWhere } from './operations.ts'

const words = { route: 'route', event: 'event', frame: 'control frame' } as const

/** What a WebSocket client of the old description meets. */
export function compareAsyncApi(old: Node, now: Node): readonly Change[] {
  const changes = new Changes('websocket')
  const pair = new SchemaPair(
    new SchemaSource(old, 'The old document'),
    new SchemaSource(now, 'The new document'),
    changes,
  )
  const { pairs, removed, added } = pairUp(operationsOf(old, pair.old), operationsOf(now, pair.new), sameOperation)
  const refused = refusalOf(now, 'status_code')
  compareChannels(old, now, { pair, changes, refused })
  for (const operation of removed)
    changes.add(`${operation.kind}-removed`, toWhere(operation), '', `the ${words[operation.kind]} was removed`)
  for (const [before, after] of pairs)
    compareOperations(before, after, { where: toWhere(before), pair, changes, refused })
  for (const operation of added)
    changes.add(`${operation.kind}-added`, toWhere(operation), '', `the ${words[operation.kind]} is new`)
  compareServers(old, now, changes)
  return changes.toList()
}

function compareOperations(old: Operation, now: Operation, context: Context): void {
  const { where, pair, changes } = context
  if (old.pkgId !== now.pkgId) changes.add('pkg-id', where, '', `PkgID was ${old.pkgId}, now ${now.pkgId}`)
  if (old.name !== now.name)
    changes.add(
      'route-renamed',
      where,
      '',
      `was called ${code(old.name)}, now ${code(now.name)}: typed clients call it so`,
    )
  compareAccess(alternativesOfSteps(old.node, pair.old), alternativesOfSteps(now.node, pair.new), where, changes)
  compareFacts(old.node, now.node, where, changes)
  compareDeadline(old.node, now.node, 'x-handshake-timeout-ms', where, changes)
  if (now.kind === 'route') compareRoutes(old, now, context)
  else if (now.kind === 'event') compareEvents(old, now, context)
  else compareFrames(old, now, context)
}

function compareServers(old: Node, now: Node, changes: Changes): void {
  const hosts = (document: Node): readonly string[] =>
    Object.values(nodeAt(document, 'servers')).map((each) => {
      const server = toNode(each)
      return `${textAt(server, 'protocol')}://${textAt(server, 'host')}${textAt(server, 'pathname')}`
    })
  const left = hosts(now)
  for (const host of hosts(old))
    if (!left.includes(host))
      changes.add('server-removed', 'servers', host, `the server ${code(host)} is no longer named`)
}
