import { type Fields, fieldsOf, isFields, listOf, stringsOf, textOf } from './json.ts'

/** A JSON Schema, with the document that its references are about. */
export interface Schema {
  readonly node: Fields
  readonly root: Fields
}

export type Kind =
  | 'array'
  | 'boolean'
  | 'choice'
  | 'const'
  | 'enum'
  | 'integer'
  | 'map'
  | 'null'
  | 'number'
  | 'object'
  | 'string'
  | 'unknown'

const maxHops = 32

/** What a reference of this document is about; undefined for one of another document, or of nothing. */
function lookUp(root: Fields, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  let found: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    found = Array.isArray(found)
      ? found[Number(key)]
      : Object.hasOwn(fieldsOf(found), key)
        ? fieldsOf(found)[key]
        : undefined
  }
  return found
}

/** The object that a reference is about, or the object itself. */
export function follow(root: Fields, value: unknown): Fields {
  let found = value
  for (let hop = 0; hop < maxHops; hop += 1) {
    const reference = fieldsOf(found)['$ref']
    if (typeof reference !== 'string') return fieldsOf(found)
    found = lookUp(root, reference)
  }
  return {}
}

export function schemaOf(root: Fields, value: unknown): Schema {
  return { root, node: merged(root, value, maxHops) }
}

/** Of a property, an item, a variant. */
function childOf({ root }: Schema, value: unknown): Schema {
  return schemaOf(root, value)
}

/** Follows references, keeps what is beside them, and joins `allOf`. */
function merged(root: Fields, value: unknown, hops: number): Fields {
  if (!isFields(value) || hops === 0) return {}
  const { $ref: reference, allOf, ...own } = value
  let node: Fields = own
  if (typeof reference === 'string') node = { ...merged(root, lookUp(root, reference), hops - 1), ...own }
  for (const part of listOf(allOf)) node = joined(node, merged(root, part, hops - 1))
  return node
}

function joined(one: Fields, other: Fields): Fields {
  return {
    ...other,
    ...one,
    ...((one['properties'] ?? other['properties']) !== undefined && {
      properties: { ...fieldsOf(other['properties']), ...fieldsOf(one['properties']) },
      required: [...stringsOf(one['required']), ...stringsOf(other['required'])],
    }),
  }
}

/** The alternatives of a schema, without null. */
export function variantsOf(schema: Schema): readonly Schema[] {
  return allVariants(schema).filter((variant) => kindOf(variant) !== 'null')
}

/** May it be null, beside what else it may be? */
export function isNullable(schema: Schema): boolean {
  const all = allVariants(schema)
  return all.length > 1 && all.some((variant) => kindOf(variant) === 'null')
}

function allVariants(schema: Schema): readonly Schema[] {
  const { anyOf, oneOf, type, ...rest } = schema.node
  const listed = listOf(anyOf).length > 0 ? listOf(anyOf) : listOf(oneOf)
  // What is beside the list, such as a type, holds for each of it.
  if (listed.length > 0)
    return listed.map((each) => {
      const child = childOf(schema, each)
      const beside = type === undefined ? {} : { type }
      return { root: schema.root, node: { ...beside, ...child.node } }
    })
  return listOf(type).map((each) => ({ root: schema.root, node: { ...rest, type: each } }))
}

/** The schema itself, or the only variant that is not null, with what is said beside it. */
export function withoutNull(schema: Schema): Schema {
  const [only, ...others] = variantsOf(schema)
  if (only === undefined || others.length > 0 || allVariants(schema).length === 0) return schema
  const { anyOf: _, oneOf: __, type: ___, ...beside } = schema.node
  return { root: schema.root, node: { ...only.node, ...beside } }
}

export function kindOf(schema: Schema): Kind {
  const { node } = schema
  if (Object.hasOwn(node, 'const')) return node['const'] === null ? 'null' : 'const'
  if (listOf(node['enum']).length > 0) return 'enum'
  if (listOf(node['anyOf']).length > 1 || listOf(node['oneOf']).length > 1) return 'choice'
  if (listOf(node['anyOf']).length + listOf(node['oneOf']).length === 1) return kindOf(withoutNull(schema))
  if (Array.isArray(node['type'])) return node['type'].length > 1 ? 'choice' : kindOf(withoutNull(schema))
  switch (node['type']) {
    case 'object':
      return isMap(node) ? 'map' : 'object'
    case 'array':
    case 'boolean':
    case 'integer':
    case 'null':
    case 'number':
    case 'string':
      return node['type']
    default:
      return isFields(node['properties']) ? 'object' : 'unknown'
  }
}

function isMap(node: Fields): boolean {
  const hasNames = Object.keys(fieldsOf(node['properties'])).length > 0
  return !hasNames && node['additionalProperties'] !== false
}

export interface Property {
  readonly name: string
  readonly schema: Schema
  readonly isRequired: boolean
}

export function propertiesOf(schema: Schema): readonly Property[] {
  const required = new Set(stringsOf(schema.node['required']))
  return Object.entries(fieldsOf(schema.node['properties'])).map(([name, value]) => ({
    name,
    schema: childOf(schema, value),
    isRequired: required.has(name),
  }))
}

export function itemsOf(schema: Schema): Schema {
  return childOf(schema, schema.node['items'])
}

/** A short name of what a value of it is: `integer, 1 to 255`, `text`, `one of: a, b`. */
export function summaryOf(schema: Schema): string {
  const nullable = isNullable(schema) ? ' or null' : ''
  const inner = withoutNull(schema)
  const { node } = inner
  const kind = kindOf(inner)
  if (kind === 'const') return `always ${JSON.stringify(node['const'])}`
  if (kind === 'enum')
    return `one of ${listOf(node['enum'])
      .map((each) => JSON.stringify(each))
      .join(', ')}${nullable}`
  if (kind === 'choice') return `one of ${variantsOf(inner).length} forms${nullable}`
  if (kind === 'array') return `list of ${titleOf(itemsOf(inner)) || summaryOf(itemsOf(inner))}${nullable}`
  if (kind === 'unknown') return 'any value'
  return `${[kind === 'string' ? 'text' : kind, ...limitsOf(node)].join(', ')}${nullable}`
}

export function titleOf({ node }: Schema): string {
  return textOf(node['title'])
}

/** `format`, `1 to 255`, `at most 80 characters`. */
function limitsOf(node: Fields): readonly string[] {
  const said = [
    range(node['minimum'], node['maximum'], ''),
    range(node['minLength'], node['maxLength'], ' characters'),
    range(node['minItems'], node['maxItems'], ' items'),
    ...others.map(([key, say]) => (node[key] === undefined ? '' : say(node[key]))),
  ]
  return said.filter((each) => each !== '')
}

const others: ReadonlyArray<readonly [key: string, say: (value: unknown) => string]> = [
  ['format', (value) => String(value)],
  ['exclusiveMinimum', (value) => `more than ${value}`],
  ['exclusiveMaximum', (value) => `less than ${value}`],
  ['pattern', (value) => `matches ${value}`],
]

function range(from: unknown, to: unknown, unit: string): string {
  // What every integer of JSON is.
  const [min, max] = [from, to].map((each) => (Math.abs(Number(each)) === Number.MAX_SAFE_INTEGER ? undefined : each))
  if (min !== undefined && max !== undefined) return `${min} to ${max}${unit}`
  if (min !== undefined) return `at least ${min}${unit}`
  return max === undefined ? '' : `at most ${max}${unit}`
}
