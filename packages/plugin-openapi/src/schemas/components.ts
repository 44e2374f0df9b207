import type { SchemaDocument } from './json-schema.ts'
import { isRecord, type Json, toNode } from './node.ts'

const prefix = '#/components/schemas/'

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const single = [
  'items',
  'additionalItems',
  'additionalProperties',
  'contains',
  'not',
  'propertyNames',
  'if',
  'then',
  'else',
  'unevaluatedProperties',
]
const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems', 'items']
const named = ['properties', 'patternProperties', 'dependentSchemas']

/**
 * The schemas of a document by name. Objects with properties, and schemas with a title, get a name of their own, and equal ones the same; all else stays where it
 * is. Names are the title, or made of the place.
 */
export class SchemaComponents {
  readonly #schemas = new Map<string, Json>()
  /** By their text. */
  readonly #names = new Map<string, string>()
  /** Of definitions that refer to each other: by their text before they had names. */
  readonly #definitions = new Map<string, ReadonlyMap<string, string>>()

  /**
   * Returns the schema as it is written in the document.
   *
   * @param hint - Its name where it has no title.
   */
  add({ schema, definitions }: SchemaDocument, hint: string): Json {
    const isRecursive = JSON.stringify(schema).includes('"$ref":"#"')
    const all = isRecursive ? { ...definitions, '': schema } : definitions
    const names = this.#define(all, hint)
    return isRecursive ? toReference(names.get('') ?? hint) : this.#intern(schema, hint, names)
  }

  /** Sorted by name. */
  toJson(): Json {
    return Object.fromEntries([...this.#schemas].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #define(definitions: Readonly<Record<string, Json>>, hint: string): ReadonlyMap<string, string> {
    const entries = Object.entries(definitions)
    if (entries.length === 0) return new Map()
    const text = JSON.stringify(entries)
    const known = this.#definitions.get(text)
    if (known !== undefined) return known
    const names = new Map<string, string>()
    for (const [key, { title }] of entries) {
      const local = key === '' ? hint : `${hint}${/^\d+$/.test(key) ? 'Node' : toName(key)}`
      const name = this.#freeName(toTitle(title) ?? local)
      names.set(key, name)
      this.#schemas.set(name, {})
    }
    this.#definitions.set(text, names)
    for (const [key, schema] of entries) {
      const name = names.get(key) ?? hint
      const written = this.#rewrite(schema, name, names)
      this.#schemas.set(name, written)
      this.#names.set(JSON.stringify(written), name)
    }
    return names
  }

  #intern(schema: Json, hint: string, names: ReadonlyMap<string, string>): Json {
    const written = this.#rewrite(schema, hint, names)
    const { title, properties } = written
    const isNamed = typeof title === 'string' || (isRecord(properties) && Object.keys(properties).length > 0)
    if (!isNamed) return written
    const text = JSON.stringify(written)
    const known = this.#names.get(text)
    if (known !== undefined) return toReference(known)
    const name = this.#freeName(toTitle(title) ?? hint)
    this.#names.set(text, name)
    this.#schemas.set(name, written)
    return toReference(name)
  }

  /** The same schema with its parts interned, and its references renamed. */
  #rewrite(schema: Json, hint: string, names: ReadonlyMap<string, string>): Json {
    const made: Record<string, unknown> = {}
    const part = (value: unknown, name: string): unknown => (isRecord(value) ? this.#intern(value, name, names) : value)
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword === '$ref' && typeof value === 'string') made[keyword] = toTarget(value, names)
      else if (named.includes(keyword) && isRecord(value))
        made[keyword] = Object.fromEntries(
          Object.entries(value).map(([key, each]) => [key, part(each, `${hint}${toName(key)}`)]),
        )
      else if (lists.includes(keyword) && Array.isArray(value))
        made[keyword] = value.map((each, i) =>
          part(each, keyword === 'items' || value.length > 1 ? `${hint}${i + 1}` : hint),
        )
      else if (single.includes(keyword))
        made[keyword] = part(value, keyword === 'items' ? `${hint}Item` : `${hint}Value`)
      else made[keyword] = value
    }
    return made
  }

  #freeName(wanted: string): string {
    let name = wanted
    for (let n = 2; this.#schemas.has(name); n++) name = `${wanted}${n}`
    return name
  }
}

function toReference(name: string): Json {
  return { $ref: `${prefix}${name}` }
}

/** A reference to a definition of its own document. */
function toTarget(reference: string, names: ReadonlyMap<string, string>): string {
  const [, key = ''] = /^#(?:\/(?:\$defs|definitions)\/(.*))?$/.exec(reference) ?? []
  const name = names.get(key.replaceAll('~1', '/').replaceAll('~0', '~'))
  return name === undefined ? reference : `${prefix}${name}`
}

function toTitle(title: unknown): string | null {
  const name = typeof title === 'string' ? toName(title) : ''
  return name === '' ? null : name
}

/**
 * A name that every tool takes: letters and digits.
 *
 * @example
 * toName('GET /authors/:id') // 'GetAuthorsId'
 */
export function toName(text: string): string {
  const words = text.match(/[A-Za-z0-9]+/g) ?? []
  return words
    .map((word) => word.charAt(0).toUpperCase() + (/[a-z]/.test(word) ? word.slice(1) : word.slice(1).toLowerCase()))
    .join('')
}

/** The schema that local references of a document lead to; the schema itself where it has none. */
export function followReference({ schema, definitions }: SchemaDocument): Json {
  let current = schema
  for (let hops = 0; typeof current['$ref'] === 'string' && hops < 8; hops++) {
    const key = current['$ref'].replace(/^#\/(?:\$defs|definitions)\//, '')
    current = toNode(definitions[key])
  }
  return current
}
