import { followReference } from '../schemas/components.ts'
import type { SchemaDocument } from '../schemas/json-schema.ts'
import { isRecord, type Json, toList, toNode } from '../schemas/node.ts'

/** The keys of an input, which HTTP takes from path, query and body. */
export interface TopLevel {
  readonly properties: Readonly<Record<string, Json>>
  readonly required: ReadonlySet<string>
  /** The schema is one object with these properties; false for a union or an intersection of objects, whose keys are all here. */
  readonly isExact: boolean
  /** Other keys are refused. */
  readonly isClosed: boolean
  /** What the object says of itself. */
  readonly annotations: Json
}

/** Null where the input is not known to be an object with keys. */
export function readTopLevel(document: SchemaDocument): TopLevel | null {
  const schema = followReference(document)
  const { properties, required, additionalProperties, title: _title, type, ...annotations } = schema
  if (isRecord(properties)) {
    const entries = Object.entries(properties).map(([key, value]) => [key, toNode(value)] as const)
    return {
      properties: Object.fromEntries(entries),
      required: new Set(toList(required).map(String)),
      isExact: true,
      isClosed: additionalProperties === false,
      annotations,
    }
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const parts = toList(schema[keyword])
    if (parts.length === 0) continue
    const read = parts.map((part) => readTopLevel({ schema: toNode(part), definitions: document.definitions }))
    const known = read.filter((part) => part !== null)
    return known.length === parts.length ? join(known, keyword === 'allOf') : null
  }
  return null
}

function join(parts: readonly TopLevel[], all: boolean): TopLevel {
  const properties: Record<string, Json> = {}
  const keys = new Set(parts.flatMap((part) => Object.keys(part.properties)))
  for (const key of keys) {
    const found = new Set(
      parts.flatMap(({ properties: { [key]: own } }) => (own === undefined ? [] : [JSON.stringify(own)])),
    )
    const schemas = [...found].map((text): unknown => JSON.parse(text))
    properties[key] = schemas.length === 1 ? toNode(schemas[0]) : { [all ? 'allOf' : 'anyOf']: schemas }
  }
  const isRequired = (key: string): boolean =>
    all ? parts.some(({ required }) => required.has(key)) : parts.every(({ required }) => required.has(key))
  return {
    properties,
    required: new Set([...keys].filter(isRequired)),
    isExact: false,
    isClosed: false,
    annotations: {},
  }
}

/** An object with some of the keys. */
export function pick(
  { properties, required, isClosed, annotations }: TopLevel,
  keys: readonly string[],
  opens: boolean,
): Json {
  const needed = keys.filter((key) => required.has(key))
  return {
    ...annotations,
    type: 'object',
    properties: Object.fromEntries(keys.map((key) => [key, properties[key]])),
    ...(needed.length > 0 && { required: needed }),
    ...(isClosed && !opens && { additionalProperties: false }),
  }
}
