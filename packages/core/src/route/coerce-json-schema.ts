import {
  anyString,
  both,
  either,
  exactly,
  joinRecords,
  noEntries,
  noString,
  type RecordPlan,
  type ValuePlan,
} from './coerce-plan.ts'

/** A JSON Schema, draft 2020-12, as plain data. */
type Node = Readonly<Record<string, unknown>>

/** References that are being resolved, so that a circular one ends. */
type Open = readonly string[]

/** The plan of a whole input. */
export function readJsonSchema(document: unknown): RecordPlan {
  return new Reader(toNode(document)).record(document, [])
}

class Reader {
  readonly #document: Node

  constructor(document: Node) {
    this.#document = document
  }

  record(schema: unknown, open: Open): RecordPlan {
    const node = toNode(schema)
    const own: RecordPlan = {
      ...noEntries,
      entries: this.#entries(node, open),
      rest: this.#rest(node, open),
      unknownKeys: node['additionalProperties'] === false ? 'rejected' : 'kept',
    }
    const parts = [own, ...toArray(node['allOf']).map((part) => this.record(part, open))]
    for (const options of [toArray(node['anyOf']), toArray(node['oneOf'])]) {
      const [first, ...others] = options.map((option) => this.record(option, open))
      if (first !== undefined) parts.push(others.reduce((a, b) => joinRecords(a, b, either), first))
    }
    const target = this.#follow(node, open)
    if (target !== null) parts.push(this.record(target.schema, target.open))
    return parts.reduce((a, b) => joinRecords(a, b, both))
  }

  #value(schema: unknown, open: Open): ValuePlan {
    // `true` accepts everything, `false` nothing.
    if (typeof schema === 'boolean') return schema ? anyString : noString
    const node = toNode(schema)
    const parts = [this.#typed(node, open), ...toArray(node['allOf']).map((part) => this.#value(part, open))]
    if ('const' in node) parts.push(exactly(node['const']))
    if (Array.isArray(node['enum'])) parts.push(node['enum'].map(exactly).reduce(either, noString))
    for (const options of [toArray(node['anyOf']), toArray(node['oneOf'])]) {
      if (options.length > 0) parts.push(options.map((option) => this.#value(option, open)).reduce(either, noString))
    }
    if (typeof node['$ref'] === 'string') {
      const target = this.#follow(node, open)
      parts.push(target === null ? noString : this.#value(target.schema, target.open))
    }
    return parts.reduce(both)
  }

  #typed(node: Node, open: Open): ValuePlan {
    const { type } = node
    // An enum or a const restricts more than a type, and `both` prefers it only to "any string".
    if (type === undefined || 'const' in node || Array.isArray(node['enum'])) return anyString
    const types = Array.isArray(type) ? type : [type]
    return types.map((name) => this.#plain(String(name), node, open)).reduce(either, noString)
  }

  #plain(type: string, node: Node, open: Open): ValuePlan {
    if (type === 'string') return anyString
    if (type === 'number' || type === 'integer') return { ...noString, number: true }
    if (type === 'boolean') return { ...noString, boolean: true }
    if (type !== 'array') return noString
    const items = toArray(node['prefixItems']).map((item) => this.#item(item, open))
    return { ...noString, list: { items, rest: this.#item(node['items'] ?? true, open) } }
  }

  /** A query has no nested lists. */
  #item(schema: unknown, open: Open): ValuePlan {
    return { ...this.#value(schema, open), list: null }
  }

  #entries(node: Node, open: Open): Map<string, ValuePlan> {
    const entries = new Map<string, ValuePlan>()
    for (const [key, entry] of Object.entries(toNode(node['properties']))) entries.set(key, this.#value(entry, open))
    return entries
  }

  #rest(node: Node, open: Open): ValuePlan | null {
    const rest = node['additionalProperties']
    return typeof rest === 'object' && rest !== null ? this.#value(rest, open) : null
  }

  /** Resolves a local `$ref`: a JSON Pointer (RFC 6901) into this document. */
  #follow(node: Node, open: Open): { readonly schema: unknown; readonly open: Open } | null {
    const reference = node['$ref']
    if (typeof reference !== 'string' || !reference.startsWith('#') || open.includes(reference)) return null
    let schema: unknown = this.#document
    for (const part of reference.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      schema = Object.hasOwn(toNode(schema), key) ? toNode(schema)[key] : undefined
    }
    return schema === undefined ? null : { schema, open: [...open, reference] }
  }
}

function toNode(value: unknown): Node {
  // Any object may be read by any key: the value is unknown.
  return typeof value === 'object' && value !== null ? (value as Node) : {}
}

function toArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
