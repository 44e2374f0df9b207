import { get, has, isNode, listAt, type Node, nodeAt, numberAt, stringsAt, textAt } from './json.ts'

/** Numbers from 0 to 1, the same ones for the same seed. */
export type Dice = () => number

export function createDice(seed: number): Dice {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const words = ['', 'a', 'b', 'ab', 'abc', 'abcd', 'aaaaab', 'zz', 'cb', 'x']
const numbers = [-3, -1, 0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 12]

/** A value that is likely to fit the schema. Objects have keys that it names, or that it says may be there. */
export function makeValue(schema: unknown, document: Node, dice: Dice, depth = 0): unknown {
  if (!isNode(schema)) return depth > 6 ? null : anyValue(dice)
  const within = (each: unknown): unknown => makeValue(each, document, dice, depth + 1)
  if (depth > 8) return null
  if (has(schema, 'const')) return get(schema, 'const')
  if (has(schema, 'enum')) return pick(listAt(schema, 'enum'), dice)
  if (has(schema, '$ref'))
    return within(get(nodeAt(document, '$defs'), textAt(schema, '$ref').slice('#/$defs/'.length)))
  for (const keyword of ['anyOf', 'oneOf']) if (has(schema, keyword)) return within(pick(listAt(schema, keyword), dice))
  if (has(schema, 'allOf')) {
    const parts = listAt(schema, 'allOf').map(within)
    return parts.every(isNode) ? Object.assign({}, ...parts) : parts[0]
  }
  const type = has(schema, 'type') ? pick([get(schema, 'type')].flat(), dice) : 'any'
  if (type === 'object') return makeObject(schema, within, dice)
  if (type === 'array') {
    const prefix = listAt(schema, 'prefixItems')
    const count = Math.min(
      (numberAt(schema, 'minItems') ?? 0) + Math.floor(dice() * 3),
      numberAt(schema, 'maxItems') ?? 5,
    )
    return Array.from({ length: count }, (_, i) =>
      within(i < prefix.length ? prefix[i] : (get(schema, 'items') ?? true)),
    )
  }
  if (type === 'string') return pick(words, dice)
  if (type === 'number' || type === 'integer') return pick(numbers, dice)
  if (type === 'boolean') return dice() < 0.5
  return type === 'null' ? null : anyValue(dice)
}

function makeObject(schema: Node, within: (schema: unknown) => unknown, dice: Dice): Node {
  const required = stringsAt(schema, 'required')
  const entries = Object.entries(nodeAt(schema, 'properties')).filter(([key]) => required.includes(key) || dice() < 0.6)
  const made = entries.map(([key, each]) => [key, within(each)] as const)
  const others = get(schema, 'additionalProperties')
  for (const key of ['c', 'x', 'zz'])
    if (others !== undefined && others !== false && !has(nodeAt(schema, 'properties'), key) && dice() < 0.3)
      made.push([key, within(others)])
  for (const [, each] of Object.entries(nodeAt(schema, 'patternProperties')))
    if (dice() < 0.5) made.push(['p1', within(each)])
  return Object.fromEntries(made)
}

function anyValue(dice: Dice): unknown {
  return pick([null, true, 'a', 'abcd', 0, 1.5, 7, [], ['a'], [1, 2], {}, { a: 1 }, { c: 'x' }, { kind: 'a' }], dice)
}

function pick<T>(list: readonly T[], dice: Dice): T | null {
  return list[Math.floor(dice() * list.length)] ?? null
}

/**
 * The schema without the keys that it does not name: no client that reads it sends them. Where several schemas are met at once, the keys of all
 * of them are named.
 */
export function seal(node: Node, isPart = false): Node {
  const sealed: Record<string, unknown> = { ...node }
  for (const keyword of ['properties', '$defs', 'patternProperties'])
    if (has(node, keyword))
      sealed[keyword] = Object.fromEntries(
        Object.entries(nodeAt(node, keyword)).map(([key, each]) => [key, sealAny(each, false)]),
      )
  for (const keyword of ['items', 'additionalProperties'])
    if (has(node, keyword)) sealed[keyword] = sealAny(get(node, keyword), false)
  for (const keyword of ['anyOf', 'oneOf', 'prefixItems'])
    if (has(node, keyword))
      sealed[keyword] = listAt(node, keyword).map((each) => sealAny(each, isPart && keyword !== 'prefixItems'))
  if (has(node, 'allOf')) sealed['allOf'] = listAt(node, 'allOf').map((each) => sealAny(each, true))
  if (!isPart && listsKeys(node)) sealed['unevaluatedProperties'] = false
  return sealed
}

function sealAny(value: unknown, isPart: boolean): unknown {
  return isNode(value) ? seal(value, isPart) : value
}

function listsKeys(node: Node): boolean {
  return (
    has(node, 'properties') ||
    listAt(node, 'allOf').some((each) => isNode(each) && (listsKeys(each) || has(each, 'anyOf')))
  )
}
