/** JSON, or a schema of JSON Schema. */
export type Json = Readonly<Record<string, unknown>>

/** A schema, an action or metadata of valibot, read key by key: the type of none of them is imported. */
export type Node = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function toNode(value: unknown): Node {
  return isRecord(value) ? value : {}
}

export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Which side of a schema: what a client sends, or what it receives. */
export type Side = 'input' | 'output'

/** A schema of any JSON value with these keywords, as `@valibot/to-json-schema` reads it. */
export function described(keywords: Json): Node {
  return withKeywords({ kind: 'schema', type: 'unknown' }, keywords)
}

export function withKeywords(schema: Node, keywords: Json): Node {
  return withActions(schema, [{ kind: 'metadata', type: 'metadata', metadata: keywords }])
}

export function withActions(schema: Node, actions: readonly Node[]): Node {
  if (actions.length === 0) return schema
  const pipe = 'pipe' in schema ? toList(schema['pipe']) : [schema]
  return { ...schema, pipe: [...pipe, ...actions] }
}

/** A note says what JSON Schema cannot: `x-note`. */
export function noted(note: string): Json {
  return { 'x-note': note }
}

/** As the wire has it; undefined for what JSON does not have. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString()
  if (Array.isArray(value)) return value.map((item) => toJson(item) ?? null)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      const json = toJson(item)
      return json === undefined ? [] : [[key, json]]
    }),
  )
}
