import { get, isNode, listAt, type Node, nodeAt, numberAt, textAt } from '../json.ts'
import type { SchemaSource } from '../schema/schema-source.ts'

export type OperationKind = 'route' | 'event' | 'frame'

/** A route, an event or a control frame. */
export interface Operation {
  readonly kind: OperationKind
  /** Of the route, the event or the operation. */
  readonly name: string
  /** Null for control frames. */
  readonly pkgId: number | null
  readonly node: Node
  readonly messages: readonly Node[]
  readonly replies: readonly Node[]
}

export function operationsOf(document: Node, source: SchemaSource): readonly Operation[] {
  return Object.entries(nodeAt(document, 'operations')).map(([id, value]) =>
    toOperation(id, source.follow(value), source),
  )
}

function toOperation(id: string, node: Node, source: SchemaSource): Operation {
  const follow = (list: readonly unknown[]): readonly Node[] => list.map((each) => source.follow(each))
  const channel = source.follow(get(node, 'channel'))
  // Left out: all messages of the channel.
  const messages =
    get(node, 'messages') === undefined ? Object.values(nodeAt(channel, 'messages')) : listAt(node, 'messages')
  const event = textAt(node, 'x-event')
  const pkgId = numberAt(node, 'x-pkg-id')
  return {
    kind: event !== '' ? 'event' : pkgId !== null ? 'route' : 'frame',
    name: event || textAt(node, 'x-route') || id,
    pkgId,
    node,
    messages: follow(messages),
    replies: follow(listAt(source.follow(get(node, 'reply')), 'messages')),
  }
}

/** `CREATE_AUTHOR (3)`. */
export function toWhere({ name, pkgId }: Operation): string {
  return pkgId === null ? name : `${name} (${pkgId})`
}

/** The type of a control frame. */
export function frameType(message: Node, source: SchemaSource): string {
  const payload = source.follow(get(message, 'payload'))
  return textAt(nodeAt(nodeAt(payload, 'properties'), 'type'), 'const')
}

/** By name, else by PkgID. */
export const sameOperation: readonly ((a: Operation, b: Operation) => boolean)[] = [
  (a, b) => a.kind === b.kind && a.name === b.name,
  (a, b) => a.kind === b.kind && a.pkgId !== null && a.pkgId === b.pkgId,
]

/** The payload of a request. The note that null is an empty object says what the alternatives say, and is left out. */
export function requestOf(message: Node, source: SchemaSource): Node {
  const payload = source.follow(get(message, 'payload'))
  const properties = nodeAt(payload, 'properties')
  const data = get(properties, 'data')
  if (!isNode(data) || !textAt(data, 'x-note').startsWith('Null, or left out')) return payload
  const { 'x-note': _, ...alternatives } = data
  return { ...payload, properties: { ...properties, data: alternatives } }
}
