import { get, has, isEqual, isNode, type Node, textAt, toList } from '../json.ts'
import { isAnnotation } from './keywords.ts'
import type { SchemaSource } from './schema-source.ts'

const schemaKeywords = new Set([
  'items',
  'additionalItems',
  'additionalProperties',
  'not',
  'contains',
  'propertyNames',
  'if',
  'then',
  'else',
])
const mapKeywords = new Set(['properties', 'patternProperties', 'dependentSchemas'])
const choiceKeywords = new Set(['anyOf', 'oneOf', 'allOf'])
const setKeywords = new Set(['required', 'enum'])
/** They change nothing for validity, but are reported. */
const reported = new Set(['default', 'deprecated'])

const maxPairs = 20_000
const maxDepth = 150

/** Whether two schemas of two documents say the same in the same words, whatever their components are called, and in which order they are. */
export class SameSchemas {
  readonly #from: SchemaSource
  readonly #to: SchemaSource
  /** Pairs that are the same, or are being looked at. */
  readonly #pairs = new Map<Node, Set<Node>>()
  #trail: (readonly [Node, Node])[] = []
  #looks = 0

  constructor(from: SchemaSource, to: SchemaSource) {
    this.#from = from
    this.#to = to
  }

  test(from: Node, to: Node): boolean {
    this.#looks = 0
    return this.#test(from, to, 0)
  }

  #test(first: unknown, second: unknown, depth: number): boolean {
    if (typeof first === 'boolean' || typeof second === 'boolean') return first === second
    const from = this.#resolve(first, this.#from)
    const to = this.#resolve(second, this.#to)
    if (this.#pairs.get(from)?.has(to)) return true
    // Not known to be the same: what follows compares them keyword by keyword.
    if (++this.#looks > maxPairs || depth > maxDepth) return false
    const mark = this.#trail.length
    this.#assume(from, to)
    const keywords = keywordsOf(from)
    const isSame =
      keywords.length === keywordsOf(to).length &&
      keywords.every(
        (keyword) => has(to, keyword) && this.#testKeyword(keyword, get(from, keyword), get(to, keyword), depth),
      )
    if (!isSame) this.#forget(mark)
    return isSame
  }

  #resolve(value: unknown, source: SchemaSource): Node {
    let node = source.toSchema(value)
    for (let hops = 0; hops < 64 && has(node, '$ref') && keywordsOf(node).length === 1; hops++)
      node = source.schemaAt(textAt(node, '$ref'))
    return node
  }

  #testKeyword(keyword: string, from: unknown, to: unknown, depth: number): boolean {
    if (keyword === '$ref') return this.#test(this.#from.at(String(from)), this.#to.at(String(to)), depth + 1)
    if (schemaKeywords.has(keyword) && !Array.isArray(from)) return this.#test(from, to, depth + 1)
    if (keyword === 'prefixItems' || keyword === 'items') return this.#testLists(from, to, depth)
    if (choiceKeywords.has(keyword)) return this.#testLists(from, to, depth) || this.#testSets(from, to, depth)
    if (mapKeywords.has(keyword) && isNode(from) && isNode(to)) {
      const keys = Object.keys(from)
      return (
        keys.length === Object.keys(to).length &&
        keys.every((key) => has(to, key) && this.#test(get(from, key), get(to, key), depth + 1))
      )
    }
    if (setKeywords.has(keyword) || (keyword === 'type' && Array.isArray(from) && Array.isArray(to))) {
      const [all, others] = [toList(from), toList(to)]
      return all.length === others.length && all.every((each) => others.some((other) => isEqual(each, other)))
    }
    return isEqual(from, to)
  }

  #testLists(from: unknown, to: unknown, depth: number): boolean {
    const [all, others] = [toList(from), toList(to)]
    return all.length === others.length && all.every((each, i) => this.#test(each, others[i], depth + 1))
  }

  #testSets(from: unknown, to: unknown, depth: number): boolean {
    const others = [...toList(to)]
    return (
      toList(from).every((each) => {
        const at = others.findIndex((other) => this.#test(each, other, depth + 1))
        if (at !== -1) others.splice(at, 1)
        return at !== -1
      }) && others.length === 0
    )
  }

  #assume(from: Node, to: Node): void {
    const known = this.#pairs.get(from)
    if (known === undefined) this.#pairs.set(from, new Set([to]))
    else known.add(to)
    this.#trail.push([from, to])
  }

  #forget(mark: number): void {
    for (const [from, to] of this.#trail.splice(mark)) this.#pairs.get(from)?.delete(to)
  }
}

function keywordsOf(node: Node): readonly string[] {
  return Object.keys(node).filter((keyword) => reported.has(keyword) || !isAnnotation(keyword))
}
