import { get, has, isEqual, type Node } from '../json.ts'

/** What a value is not checked against. `format` and `x-note` are: the server may check them. */
const annotations = new Set([
  'title',
  'description',
  'examples',
  'example',
  'default',
  'deprecated',
  'readOnly',
  'writeOnly',
  'externalDocs',
  'xml',
  'discriminator',
  '$comment',
  '$schema',
  '$id',
  '$anchor',
  'definitions',
  '$defs',
])

/** Keywords that the comparison understands. */
const understood = new Set([
  '$ref',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'type',
  'enum',
  'const',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'items',
  'prefixItems',
  'additionalItems',
  'minItems',
  'maxItems',
  'uniqueItems',
  'required',
  'properties',
  'patternProperties',
  'additionalProperties',
  'minProperties',
  'maxProperties',
])

/** What the server says in words about a value that it does not check. */
const harmlessNotes = ['It is ignored', 'Not used']

export function isAnnotation(keyword: string): boolean {
  return annotations.has(keyword) || (keyword.startsWith('x-') && keyword !== 'x-note')
}

/** Keywords that only a schema with the same one is known to meet. `notes`: whether what the server says in words counts. */
export function opaqueKeywords(node: Node, notes: boolean): readonly string[] {
  return Object.keys(node).filter((keyword) => {
    if (understood.has(keyword) || isAnnotation(keyword)) return false
    return keyword !== 'x-note' || (notes && !harmlessNotes.includes(String(get(node, keyword))))
  })
}

/** The values that `enum` and `const` leave; null for any. */
export function listedValues(node: Node): readonly unknown[] | null {
  const values = get(node, 'enum')
  if (!has(node, 'const')) return Array.isArray(values) ? values : null
  const value = get(node, 'const')
  return !Array.isArray(values) || values.some((each) => isEqual(each, value)) ? [value] : []
}
