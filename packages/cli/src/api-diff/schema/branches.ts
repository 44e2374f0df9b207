import { get, has, isEqual, isNode, listAt, type Node, nodeAt, stringsAt, textAt } from '../json.ts'
import { listedValues } from './keywords.ts'
import type { SchemaSource } from './schema-source.ts'
import { TooComplex } from './too-complex.ts'
import { isWhole, type JsonType, typesOf } from './types.ts'

/** Schemas of which a value meets all, each by its own keywords: `$ref`, `allOf` and the choice of `anyOf` and `oneOf` are followed. */
export type Branch = readonly Node[]

const maxBranches = 256
const maxDepth = 200

/** A value that meets all of the schemas is described by one of the branches. */
export function toBranches(schemas: readonly Node[], source: SchemaSource): readonly Branch[] {
  let branches: readonly Branch[] = [[]]
  for (const schema of schemas) branches = join(branches, expand(schema, source, new Set()))
  return branches
}

function expand(schema: Node, source: SchemaSource, above: ReadonlySet<Node>): readonly Branch[] {
  // A schema that contains itself on the spot says nothing more.
  if (above.has(schema)) return [[]]
  if (above.size > maxDepth) throw new TooComplex()
  const inside = new Set(above).add(schema)
  const within = (value: unknown): readonly Branch[] => expand(source.toSchema(value), source, inside)
  let branches: readonly Branch[] = [[schema]]
  if (has(schema, '$ref')) branches = join(branches, within(source.schemaAt(textAt(schema, '$ref'))))
  for (const each of listAt(schema, 'allOf')) branches = join(branches, within(each))
  for (const keyword of ['anyOf', 'oneOf'])
    if (has(schema, keyword)) branches = join(branches, listAt(schema, keyword).flatMap(within))
  return branches
}

function join(branches: readonly Branch[], others: readonly Branch[]): readonly Branch[] {
  if (branches.length * others.length > maxBranches) throw new TooComplex()
  return branches.flatMap((branch) => others.map((other) => [...new Set([...branch, ...other])]))
}

export function branchTypes(branch: Branch): readonly JsonType[] {
  if (branch.some((node) => isNothing(node))) return []
  let types: readonly JsonType[] = typesOf({})
  for (const node of branch) {
    const allowed = typesOf(node)
    types = types.filter((type) => allowed.includes(type))
  }
  return types
}

function isNothing(node: Node): boolean {
  const not = get(node, 'not')
  return not === true || (isNode(not) && Object.keys(not).length === 0)
}

/** Whether a number that the branch describes has no fraction. */
export function isWholeIn(branch: Branch): boolean {
  return branch.some(isWhole)
}

/** The values that the branch leaves, by `enum`, `const`, or its type; null where there is no end of them. */
export function valuesIn(branch: Branch): readonly unknown[] | null {
  let values: readonly unknown[] | null = null
  for (const node of branch) {
    const listed = listedValues(node)
    if (listed === null) continue
    values = values === null ? listed : values.filter((value) => listed.some((each) => isEqual(each, value)))
  }
  return values
}

/** What all schemas of the branch say of the key: an empty list is that it may be anything. */
export function keySchemas(branch: Branch, key: string, source: SchemaSource): readonly Node[] {
  return branch.flatMap((node) => nodeKeySchemas(node, key, source))
}

/** What one schema says of a key. */
export function nodeKeySchemas(node: Node, key: string, source: SchemaSource): readonly Node[] {
  const named = get(node, 'properties')
  const own = isNode(named) && has(named, key) ? [source.toSchema(get(named, key))] : []
  const patterned = patternsOf(node)
    .filter(([pattern]) => matches(pattern, key))
    .map(([, schema]) => source.toSchema(schema))
  const found = [...own, ...patterned]
  if (found.length > 0 || !has(node, 'additionalProperties')) return found
  return [source.toSchema(get(node, 'additionalProperties'))]
}

export function namesIn(branch: Branch): readonly string[] {
  return [...new Set(branch.flatMap((node) => Object.keys(nodeAt(node, 'properties'))))]
}

export function requiredIn(branch: Branch): ReadonlySet<string> {
  return new Set(branch.flatMap((node) => stringsAt(node, 'required')))
}

export function patternsOf(node: Node): readonly (readonly [string, unknown])[] {
  return Object.entries(nodeAt(node, 'patternProperties'))
}

/** Schemas that only say which value one key has. */
const pins = new WeakSet<Node>()

/** A schema for one key and one of its values. */
export function pin(key: string, value: unknown): Node {
  const made = { properties: Object.fromEntries([[key, { const: value }]]) }
  pins.add(made)
  return made
}

/**
 * What keys are that no schema of the branch names; null where there are none. An object that lists its properties, and says nothing of others,
 * is sent with these: what else it has is ignored.
 */
export function otherKeys(branch: Branch, source: SchemaSource): readonly Node[] | null {
  const others = branch
    .filter((node) => has(node, 'additionalProperties'))
    .map((node) => source.toSchema(get(node, 'additionalProperties')))
  if (others.some(isNothing)) return null
  const lists = branch.some((node) => !pins.has(node) && (has(node, 'properties') || has(node, 'patternProperties')))
  return others.length === 0 && lists ? null : others
}

export function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text)
  } catch {
    return true
  }
}

/** Whether no value meets all schemas. */
export function isNever(schemas: readonly Node[], source: SchemaSource): boolean {
  return toBranches(schemas, source).every((branch) => branchTypes(branch).length === 0)
}
