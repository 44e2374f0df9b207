/** A JSON object. Keys are read with {@link get}: `__proto__` is a key like any other. */
export type Node = Readonly<Record<string, unknown>>

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What the object itself has at this key. */
export function get(node: Node, key: string): unknown {
  return Object.hasOwn(node, key) ? node[key] : undefined
}

export function has(node: Node, key: string): boolean {
  return Object.hasOwn(node, key)
}

/** The object at this key; an empty one where there is none. */
export function nodeAt(node: Node, key: string): Node {
  return toNode(get(node, key))
}

export function toNode(value: unknown): Node {
  return isNode(value) ? value : {}
}

export function listAt(node: Node, key: string): readonly unknown[] {
  return toList(get(node, key))
}

export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function textAt(node: Node, key: string): string {
  const value = get(node, key)
  return typeof value === 'string' ? value : ''
}

export function stringsAt(node: Node, key: string): readonly string[] {
  return listAt(node, key).filter((each) => typeof each === 'string')
}

export function numberAt(node: Node, key: string): number | null {
  const value = get(node, key)
  return typeof value === 'number' ? value : null
}

/** Equal as JSON: the order of keys does not matter, that of items does. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => isEqual(each, b[i]))
  if (!isNode(a) || !isNode(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => has(b, key) && isEqual(get(a, key), get(b, key)))
}
