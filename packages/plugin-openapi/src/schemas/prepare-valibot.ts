import { described, type Node, noted, type Side, toJson, toList, toNode, withActions, withKeywords } from './node.ts'
import { PipeReader, unchanging } from './pipe.ts'
import { toWireKeywords } from './wire-types.ts'

const maxDepth = 64
/** A getter of `v.lazy` that returns a new schema each time would never end. */
const maxLazies = 256

/** Transformations of strings to strings. */
const ofText = new Set(['trim', 'trim_start', 'trim_end', 'to_lower_case', 'to_upper_case', 'normalize'])
const results: Readonly<Record<string, Node>> = {
  to_string: { kind: 'schema', type: 'string' },
  stringify_json: { kind: 'schema', type: 'string' },
  to_number: { kind: 'schema', type: 'number' },
  to_boolean: { kind: 'schema', type: 'boolean' },
  to_date: { kind: 'schema', type: 'date' },
  to_bigint: { kind: 'schema', type: 'bigint' },
}
const wrappers: ReadonlySet<unknown> = new Set(['optional', 'exact_optional', 'undefinedable', 'nullable', 'nullish'])
/** They may take null. */
const open: ReadonlySet<unknown> = new Set(['any', 'unknown', 'null', 'union', 'lazy'])
const optionals: ReadonlySet<unknown> = new Set(['optional', 'exact_optional', 'nullish'])

/**
 * Rewrites a valibot schema so that `@valibot/to-json-schema` converts it to what the server accepts (`input`) or sends (`output`):
 *
 * - a pipe ends for `input` before its first transformation, and what follows is noted;
 * - dates, bigints and bytes are text;
 * - what the converter refuses (brands, `required()`, checks, a record of picklist keys), or converts to something else (`variant`, two patterns, optional items
 *   of a tuple, defaults that are functions, fallbacks), is written so that it agrees.
 */
export class ValibotPreparation {
  readonly #side: Side
  readonly #known = new WeakMap<Node, Node>()
  readonly #getters = new WeakMap<Node, () => Node>()
  #depth = 0
  #lazies = 0

  constructor(side: Side) {
    this.#side = side
  }

  schema(node: Node): Node {
    const known = this.#known.get(node)
    if (known !== undefined) return known
    if (this.#depth >= maxDepth) return described(noted('Not described: it is nested too deeply'))
    this.#depth++
    const made = this.#whole(node)
    this.#depth--
    this.#known.set(node, made)
    return made
  }

  #whole(node: Node): Node {
    const isPipe = 'pipe' in node && node['pipe'] !== undefined
    if ('fallback' in node && this.#side === 'input')
      return {
        kind: 'schema',
        type: 'optional',
        wrapped: described(noted('A value that is not valid is replaced by the server')),
      }
    return isPipe ? this.#pipe(flatten(node)) : this.#plain(node)
  }

  #pipe(items: readonly Node[]): Node {
    const isInput = this.#side === 'input'
    const start = isInput ? 0 : items.findLastIndex(({ kind }) => kind === 'schema')
    let base = items[start] ?? {}
    let reader = new PipeReader(String(base['type']))
    let isChanged = false
    for (const item of items.slice(start + 1)) {
      const { kind, type } = item
      if (kind === 'metadata') reader.metadata(item, !isChanged)
      else if (kind === 'validation') {
        if (isChanged) reader.note(`${type}, to the result`)
        else reader.validation(item)
      } else if (!unchanging.has(type)) {
        if (isInput) {
          isChanged = true
          reader.note(kind === 'schema' ? `a schema, to the result` : String(type))
        } else {
          if (!ofText.has(String(type)))
            base = results[String(type)] ?? described(noted(`What ${type} makes of it is not known`))
          reader = new PipeReader(String(base['type']))
        }
      }
    }
    const { kept, keywords } = reader.read()
    const schema = withActions(this.#plain(base), kept)
    return Object.keys(keywords).length === 0 ? schema : withKeywords(schema, keywords)
  }

  /** A schema without its pipe. */
  #plain(node: Node): Node {
    const wire = toWireKeywords(node, this.#side)
    if (wire !== null) return described(wire)
    if ('pipe' in node && node['type'] === 'unknown') return node
    const { kind, type, entries, rest, item, items, key, value, options } = node
    const child = (each: unknown): Node => this.schema(toNode(each))
    switch (type) {
      case 'string':
      case 'number':
      case 'boolean':
      case 'null':
      case 'any':
      case 'unknown':
      case 'never':
        return { kind, type }
      case 'literal':
      case 'picklist':
      case 'enum':
        return toChoice(node)
      case 'array':
        return { kind, type, item: child(item) }
      case 'tuple':
      case 'strict_tuple':
      case 'loose_tuple':
      case 'tuple_with_rest':
        return toTuple({
          kind,
          type,
          items: toList(items).map(child),
          ...(rest !== undefined && { rest: child(rest) }),
        })
      case 'object':
      case 'strict_object':
      case 'loose_object':
      case 'object_with_rest': {
        const made = Object.entries(toNode(entries)).map(([name, entry]) => [name, child(entry)])
        return { kind, type, entries: Object.fromEntries(made), ...(rest !== undefined && { rest: child(rest) }) }
      }
      case 'record':
        return { kind, type, key: toKey(child(key)), value: child(value) }
      case 'union':
      case 'variant':
        return { kind, type: 'union', options: toList(options).map(child) }
      case 'intersect':
        return { kind, type, options: toList(options).map(child) }
      case 'optional':
      case 'exact_optional':
      case 'undefinedable':
      case 'nullable':
      case 'nullish':
        return this.#wrapper(node)
      case 'non_optional':
      case 'non_nullable':
      case 'non_nullish':
        return this.#without(node)
      case 'lazy':
        return this.#lazy(node)
      case 'custom':
      case 'instance':
        return described(noted(`The server checks it with code: ${type}`))
      default:
        return described({ not: {}, ...noted(`It cannot be sent: ${type}`) })
    }
  }

  #wrapper(node: Node): Node {
    const { kind, type, default: fallback } = node
    const wrapped = this.schema(toNode(node['wrapped']))
    if (fallback === undefined) return { kind, type, wrapped }
    const value = typeof fallback === 'function' ? undefined : toJson(fallback)
    if (this.#side === 'output') {
      const isNullable = fallback === null || typeof fallback === 'function'
      return isNullable && type !== 'nullable' ? { kind, type: 'nullable', wrapped } : wrapped
    }
    const keywords = value === undefined ? noted('The server chooses a value if it is left out') : { default: value }
    return withKeywords({ kind, type, wrapped }, keywords)
  }

  /** `v.required()` and the like: the wrappers inside are taken off as far as they are refused. */
  #without({ kind, type, wrapped }: Node): Node {
    const { default: fallback } = toNode(wrapped)
    let inner = this.schema(toNode(wrapped))
    let isNullable = false
    while (wrappers.has(inner['type'])) {
      if (inner['type'] === 'nullable' || inner['type'] === 'nullish') isNullable = true
      inner = toNode(('pipe' in inner ? toNode(toList(inner['pipe'])[0]) : inner)['wrapped'])
    }
    // A default that is not null takes the place of null before it could be refused.
    const takesNull = type === 'non_optional' || (fallback !== undefined && fallback !== null && this.#side === 'input')
    return isNullable && takesNull ? { kind, type: 'nullable', wrapped: inner } : withoutNull(inner, takesNull)
  }

  #lazy(node: Node): Node {
    const { kind, type, getter } = node
    if (typeof getter !== 'function') return described({})
    const known = this.#getters.get(node)
    if (known !== undefined) return { kind, type, getter: known }
    let inner: Node | null = null
    const made = (): Node => {
      inner ??= this.#getLazy(getter)
      return inner
    }
    this.#getters.set(node, made)
    return { kind, type, getter: made }
  }

  #getLazy(getter: CallableFunction): Node {
    this.#lazies++
    if (this.#lazies > maxLazies) return described(noted('Not described: it is nested too deeply'))
    try {
      const inner: unknown = Reflect.apply(getter, undefined, [undefined])
      return this.schema(toNode(inner))
    } catch {
      return described(noted('Not described: which schema it is depends on the value'))
    }
  }
}

function flatten({ pipe, ...node }: Node): readonly Node[] {
  const items = toList(pipe).map(toNode)
  if (items.length === 0) return [node]
  return items.flatMap((item) => ('pipe' in item && item['pipe'] !== undefined ? flatten(item) : [item]))
}

function toChoice(node: Node): Node {
  const { kind, type, literal, options } = node
  if (type === 'literal') {
    if (literal === null) return { kind, type: 'null' }
    const isJson = ['string', 'boolean'].includes(typeof literal) || Number.isFinite(literal)
    return isJson
      ? { kind, type, literal }
      : described({ not: {}, ...noted('It cannot be sent: a literal that JSON does not have') })
  }
  const list = toList(options)
  if (list.every((option) => typeof option === 'string' || Number.isFinite(option)))
    return { kind, type, options: list }
  return described({ enum: list.filter((option) => toJson(option) !== undefined) })
}

/** A schema that is refused null, also where a part of it takes null. */
function withoutNull(schema: Node, takesNull: boolean): Node {
  if (takesNull || !open.has(schema['type'])) return schema
  return { kind: 'schema', type: 'intersect', options: [schema, described({ not: { type: 'null' } })] }
}

/** The converter counts all items as required. */
function toTuple(tuple: Node): Node {
  const items = toList(tuple['items']).map(toNode)
  const last = items.findLastIndex(({ type }) => !optionals.has(type))
  return last === items.length - 1 ? tuple : withKeywords(tuple, { minItems: last + 1 })
}

/** The converter knows text as keys only. */
function toKey(key: Node): Node {
  if (key['type'] === 'string') return key
  const { type, literal, options } = key
  const text: Node = { kind: 'schema', type: 'string' }
  if (type === 'literal') return withKeywords(text, { enum: [String(literal)] })
  if (type === 'picklist' || type === 'enum') return withKeywords(text, { enum: toList(options).map(String) })
  if (type === 'union') {
    const literals = toList(options).map((option) => toNode(option)['literal'])
    if (literals.every((each) => typeof each === 'string')) return withKeywords(text, { enum: literals })
  }
  return withKeywords(text, noted('The server also checks the keys'))
}
