import { get, type Node } from '../json.ts'

/** Types of JSON values. An integer is a number with a condition. */
export type JsonType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

const allTypes: readonly JsonType[] = ['null', 'boolean', 'number', 'string', 'array', 'object']

const words: Readonly<Record<JsonType, string>> = {
  null: 'null',
  boolean: 'a boolean',
  number: 'a number',
  string: 'text',
  array: 'a list',
  object: 'an object',
}

export function typesOf(node: Node): readonly JsonType[] {
  const named = namesOf(node)
  if (named === null) return allTypes
  return allTypes.filter((type) => named.includes(type) || (type === 'number' && named.includes('integer')))
}

/** Whether a number of it has no fraction. */
export function isWhole(node: Node): boolean {
  const named = namesOf(node) ?? []
  return named.includes('integer') && !named.includes('number')
}

function namesOf(node: Node): readonly unknown[] | null {
  const type = get(node, 'type')
  if (type === undefined) return null
  return Array.isArray(type) ? type : [type]
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return 'number'
  return typeof value === 'string' ? 'string' : 'object'
}

export function toWords(types: readonly JsonType[], whole: boolean): string {
  if (types.length === 0) return 'nothing'
  if (types.length === allTypes.length) return 'anything'
  const all = types.map((type) => (type === 'number' && whole ? 'an integer' : words[type]))
  return [...all.filter((each) => each !== 'null'), ...all.filter((each) => each === 'null')].join(' or ')
}
