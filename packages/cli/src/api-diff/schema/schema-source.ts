import { DocumentError } from '../document-error.ts'
import { get, has, isNode, type Node } from '../json.ts'
import { isAnnotation } from './keywords.ts'

/** Any value, and none. */
export const anything: Node = {}
export const nothing: Node = { not: anything }

/** The schemas of one document, which refer to one another. */
export class SchemaSource {
  readonly #document: Node
  readonly #name: string
  readonly #found = new Map<string, unknown>()

  /** `name`: how messages call the document. */
  constructor(document: Node, name: string) {
    this.#document = document
    this.#name = name
  }

  /** What is at the end of a chain of references, such as that of a response or a message. */
  follow(value: unknown): Node {
    let found = value
    for (let hops = 0; isNode(found) && typeof get(found, '$ref') === 'string'; hops++) {
      const reference = String(get(found, '$ref'))
      if (hops > 64) throw new DocumentError(`${this.#name}: the reference ${reference} refers to itself`)
      found = this.at(reference)
    }
    return isNode(found) ? found : {}
  }

  /** The schema itself, where this one is nothing but a reference to it. */
  target(schema: Node): Node {
    let found = schema
    for (let hops = 0; hops < 64 && isReference(found); hops++) found = this.schemaAt(String(get(found, '$ref')))
    return found
  }

  /** What a schema's `$ref` names. */
  schemaAt(reference: string): Node {
    return this.toSchema(this.at(reference))
  }

  toSchema(value: unknown): Node {
    if (isNode(value)) return value
    if (value === true || value === undefined) return anything
    if (value === false) return nothing
    throw new DocumentError(
      `${this.#name}: a schema is an object or a boolean, not ${JSON.stringify(value)?.slice(0, 40)}`,
    )
  }

  at(reference: string): unknown {
    if (!this.#found.has(reference)) this.#found.set(reference, this.#read(reference))
    return this.#found.get(reference)
  }

  #read(reference: string): unknown {
    if (!reference.startsWith('#'))
      throw new DocumentError(`${this.#name}: ${reference} is in another document: bundle them into one first`)
    let value: unknown = this.#document
    for (const part of decode(reference.slice(1)).split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      if (Array.isArray(value)) value = value[Number(key)]
      else if (isNode(value) && has(value, key)) value = get(value, key)
      else value = undefined
      if (value === undefined) throw new DocumentError(`${this.#name}: ${reference} does not exist`)
    }
    return value
  }
}

function isReference(schema: Node): boolean {
  return has(schema, '$ref') && Object.keys(schema).every((keyword) => keyword === '$ref' || isAnnotation(keyword))
}

function decode(pointer: string): string {
  try {
    return decodeURIComponent(pointer)
  } catch {
    return pointer
  }
}
