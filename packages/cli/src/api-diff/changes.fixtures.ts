import { Changes } from './change.ts'
import type { Node } from './json.ts'
import { SchemaSource } from './schema/schema-source.ts'
import { SchemaPair, type Side } from './schema-changes.ts'

/** `input-type body.name`: the rules and places of what two schemas differ in. */
export function differ(
  side: Side,
  old: unknown,
  now: unknown,
  definitions: readonly [Node, Node] = [{}, {}],
): readonly string[] {
  return describeDiffer(side, old, now, definitions).map(([id]) => id)
}

/** With messages. */
export function describeDiffer(
  side: Side,
  old: unknown,
  now: unknown,
  [oldDefs, newDefs]: readonly [Node, Node] = [{}, {}],
): readonly (readonly [string, string])[] {
  const changes = new Changes('http')
  const pair = new SchemaPair(
    new SchemaSource({ $defs: oldDefs }, 'The old document'),
    new SchemaSource({ $defs: newDefs }, 'The new document'),
    changes,
  )
  pair.compare(old, now, { side, where: 'POST /x', root: 'body', refused: '422' })
  return changes.toList().map(({ rule, at, message }) => [`${rule} ${at}`, message])
}
