import fc from 'fast-check'
import { get, has, isEqual, listAt, type Node, nodeAt, textAt } from './json.ts'

/** A schema with its definitions, as one document. */
export interface SchemaPairSample {
  readonly old: Node
  readonly new: Node
}

const patterns = ['^a', 'b$', '^[a-c]*$']
const definitions = ['A', 'B']

const strings: fc.Arbitrary<Node> = fc.record(
  {
    type: fc.constant('string'),
    minLength: fc.integer({ min: 0, max: 3 }),
    maxLength: fc.integer({ min: 2, max: 5 }),
    pattern: fc.constantFrom(...patterns),
  },
  { requiredKeys: ['type'] },
)
const numbers: fc.Arbitrary<Node> = fc.record(
  {
    type: fc.constantFrom('number', 'integer'),
    minimum: fc.integer({ min: -3, max: 3 }),
    exclusiveMinimum: fc.integer({ min: -3, max: 3 }),
    maximum: fc.integer({ min: 2, max: 8 }),
    exclusiveMaximum: fc.integer({ min: 2, max: 8 }),
    multipleOf: fc.constantFrom(1, 2, 3, 6, 0.5),
  },
  { requiredKeys: ['type'] },
)
const lists = fc.constantFrom<unknown>('a', 'b', 'ab', 'abcd', 1, 2, 5, null, true)
const scalars: fc.Arbitrary<Node> = fc.oneof(
  strings,
  numbers,
  fc.constantFrom<Node>(
    { type: 'boolean' },
    { type: 'null' },
    {},
    { type: ['string', 'null'] },
    { type: ['integer', 'boolean'] },
  ),
  fc.uniqueArray(lists, { minLength: 1, maxLength: 4 }).map((values): Node => ({ enum: values })),
  lists.map((value): Node => ({ const: value })),
  fc.tuple(strings, lists).map(([schema, value]): Node => ({ ...schema, not: { const: value } })),
)

const schemas = fc.letrec<{ any: Node; object: Node }>((tie) => {
  const any = tie('any')
  const properties = fc.dictionary(fc.constantFrom('a', 'b', 'c'), any, { maxKeys: 3 })
  const object = fc
    .tuple(
      properties,
      fc.subarray(['a', 'b', 'c']),
      fc.constantFrom<unknown>(undefined, undefined, undefined, false, true, { type: 'string' }),
      fc.constantFrom<Node>(
        {},
        {},
        {},
        { minProperties: 1 },
        { maxProperties: 2 },
        { patternProperties: { '^p': { type: 'number' } } },
      ),
    )
    .map(
      ([known, required, others, more]): Node => ({
        type: 'object',
        properties: known,
        required: required.filter((key) => Object.hasOwn(known, key)),
        ...(others !== undefined && { additionalProperties: others }),
        ...more,
      }),
    )
  const variant = fc.tuple(any, any, any).map(
    ([a, b, c]): Node => ({
      oneOf: [a, b, c].map((value, i) => ({
        type: 'object',
        properties: { kind: i === 2 ? { enum: ['c', 'd'] } : { const: ['a', 'b'][i] }, value },
        required: ['kind'],
      })),
    }),
  )
  return {
    any: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'schema' },
      { weight: 3, arbitrary: scalars },
      { weight: 3, arbitrary: tie('object') },
      fc.array(any, { minLength: 1, maxLength: 3 }).map((anyOf): Node => ({ anyOf })),
      fc.tuple(tie('object'), tie('object')).map((allOf): Node => ({ allOf })),
      fc.record({ type: fc.constant('array'), items: any, minItems: fc.integer({ min: 0, max: 2 }) }),
      fc.tuple(fc.array(any, { minLength: 1, maxLength: 2 }), any).map(
        ([prefixItems, items]): Node => ({
          type: 'array',
          prefixItems,
          items,
          minItems: 1,
          maxItems: 3,
        }),
      ),
      fc.record({ type: fc.constant('array'), items: scalars, uniqueItems: fc.boolean() }),
      { weight: 1, arbitrary: variant },
      fc.constantFrom(...definitions).map((name): Node => ({ $ref: `#/$defs/${name}` })),
    ),
    object,
  }
})

/** Small edits, one for each number, of schemas below. */
const edits: readonly ((node: Node, other: Node) => Node)[] = [
  (node) => ({ ...node, minLength: 1 }),
  (node) => ({ ...node, maxLength: 4 }),
  (node) => ({ ...node, minimum: 0 }),
  (node) => ({ ...node, maximum: 5 }),
  (node) => without(node, ['minLength', 'minimum', 'minItems', 'pattern']),
  (node) => without(node, ['maxLength', 'maximum', 'maxItems', 'additionalProperties', 'not']),
  (node) => without(node, ['required']),
  (node) => (has(node, 'properties') ? { ...node, required: Object.keys(nodeAt(node, 'properties')) } : node),
  (node, other) =>
    has(node, 'properties') ? { ...node, properties: { ...nodeAt(node, 'properties'), c: other } } : node,
  (node) => (has(node, 'properties') ? { ...node, additionalProperties: false } : node),
  (node, other) => ({ anyOf: [node, other] }),
  (node) => ({ anyOf: [node, { type: 'null' }] }),
  (_, other) => other,
  (node) => (has(node, 'enum') ? { ...node, enum: listAt(node, 'enum').slice(0, -1).concat('zz') } : node),
  (node) => (has(node, 'enum') ? { ...node, enum: [...listAt(node, 'enum'), 'b'] } : node),
  (node) =>
    has(node, 'anyOf')
      ? {
          ...node,
          anyOf: listAt(node, 'anyOf')
            .slice(1)
            .concat(listAt(node, 'anyOf').length === 1 ? [true] : []),
        }
      : node,
  (node) => (textAt(node, 'type') === 'integer' ? { ...node, type: 'number' } : node),
  (node) => (textAt(node, 'type') === 'number' ? { ...node, type: 'integer' } : node),
  (node) => (has(node, 'const') ? { enum: [get(node, 'const'), 'b'] } : node),
  (node) => ({ allOf: [node] }),
  (node) => (has(node, 'oneOf') ? { oneOf: listAt(node, 'oneOf').slice(0, 2) } : node),
  (node) => (has(node, 'oneOf') ? { anyOf: listAt(node, 'oneOf').toReversed() } : node),
]

function without(node: Node, keywords: readonly string[]): Node {
  return Object.fromEntries(Object.entries(node).filter(([keyword]) => !keywords.includes(keyword)))
}

/** The first edit from the `i`th on that changes something. */
function edit(node: Node, i: number, other: Node): Node {
  const inOrder = [...edits.slice(i), ...edits.slice(0, i)]
  return inOrder.map((each) => each(node, other)).find((edited) => !isEqual(edited, node)) ?? node
}

/** Goes down by the numbers of `way`, and edits what is there. */
function editAt(node: Node, way: readonly number[], edit: (node: Node) => Node): Node {
  const [step = 0, ...rest] = way
  const places = childrenOf(node)
  const place = places[step % (places.length + 1)]
  if (place === undefined) return edit(node)
  return place.replace(editAt(place.child, rest, edit))
}

interface Place {
  readonly child: Node
  replace(child: Node): Node
}

function childrenOf(node: Node): readonly Place[] {
  const places: Place[] = []
  for (const keyword of ['properties', '$defs'])
    for (const [key, value] of Object.entries(nodeAt(node, keyword)))
      if (typeof value === 'object')
        places.push({
          child: nodeAt(nodeAt(node, keyword), key),
          replace: (child) => ({ ...node, [keyword]: { ...nodeAt(node, keyword), [key]: child } }),
        })
  for (const keyword of ['anyOf', 'oneOf', 'allOf', 'prefixItems'])
    for (const [i, value] of listAt(node, keyword).entries())
      if (typeof value === 'object' && value !== null)
        places.push({
          child: { ...value },
          replace: (child) => ({ ...node, [keyword]: listAt(node, keyword).toSpliced(i, 1, child) }),
        })
  if (has(node, 'items') && typeof get(node, 'items') === 'object')
    places.push({ child: nodeAt(node, 'items'), replace: (child) => ({ ...node, items: child }) })
  return places
}

/** An old schema, and a new one that differs from it in one to three places. */
export const schemaPairs: fc.Arbitrary<SchemaPairSample> = fc
  .tuple(
    schemas.any,
    schemas.object,
    schemas.any,
    fc.array(fc.tuple(fc.array(fc.nat(20), { maxLength: 4 }), fc.nat(edits.length - 1), scalars), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([root, a, b, changes]) => {
    // A wrapper, so that a definition may refer to another, but not be only that.
    const old: Node = { ...root, $defs: { A: a, B: { type: 'object', properties: { a: b } } } }
    const now = changes.reduce<Node>((node, [way, i, other]) => {
      const edited = editAt(node, way, (each) => edit(without(each, ['$defs']), i, other))
      return has(edited, '$defs') ? edited : { ...edited, $defs: get(node, '$defs') }
    }, old)
    return { old, new: now }
  })
