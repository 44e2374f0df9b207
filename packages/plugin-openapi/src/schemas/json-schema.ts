import type { AnySchema } from '@twinwire/core'
import { isRecord, type Json, type Node, noted, type Side, toNode } from './node.ts'
import { ValibotPreparation } from './prepare-valibot.ts'

/** Dialects of JSON Schema: that of OpenAPI 3.1, and that of AsyncAPI 3.0. */
export type Target = 'draft-2020-12' | 'draft-07'

/** A schema with the definitions that it refers to by `#/$defs/…`. */
export interface SchemaDocument {
  readonly schema: Json
  readonly definitions: Readonly<Record<string, Json>>
}

/** Converts schemas of any vendor, as far as they can be. */
export interface SchemaConverter {
  /** `place`: of the schema, for the warning. */
  convert(schema: AnySchema, side: Side, target: Target, place: string): SchemaDocument
}

type Convert = (schema: Node, target: Target) => unknown

const peer = '@valibot/to-json-schema'

/**
 * @param warn - Gets what is described as an unknown value, once.
 * @param load - Loads the converter of valibot.
 */
export async function createSchemaConverter(
  warn: (message: string) => void,
  load: () => Promise<unknown> = loadPeer,
): Promise<SchemaConverter> {
  const ofValibot = toValibotConverter(await load())
  const warned = new Set<string>()
  const warnOnce = (message: string): void => {
    if (!warned.has(message)) warn(message)
    warned.add(message)
  }
  return {
    convert(schema, side, target, place) {
      const standard = schema['~standard']
      const unknown = (why: string): SchemaDocument => {
        warnOnce(`${place} is described as an unknown value: ${why}`)
        return { schema: noted('The server checks it; the schema is not described'), definitions: {} }
      }
      if (standard.vendor === 'valibot') {
        if (ofValibot === null) return unknown(`install ${peer}, which converts the schemas of valibot`)
        const prepared = new ValibotPreparation(side).schema(toNode(schema))
        return toDocument(ofValibot(prepared, target))
      }
      const { jsonSchema } = toNode(standard)
      const write = toNode(jsonSchema)[side]
      if (typeof write !== 'function') return unknown(`${standard.vendor} does not provide ~standard.jsonSchema`)
      try {
        return toDocument(Reflect.apply(write, jsonSchema, [{ target }]))
      } catch (error) {
        return unknown(
          `${standard.vendor} cannot convert it (${error instanceof Error ? error.message : String(error)})`,
        )
      }
    },
  }
}

/** Null when the package is not installed. */
async function loadPeer(): Promise<unknown> {
  try {
    return await import('@valibot/to-json-schema')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

function toValibotConverter(loaded: unknown): Convert | null {
  const { toJsonSchema } = toNode(loaded)
  if (typeof toJsonSchema !== 'function') return null
  // What has no equivalent is written as a note by the preparation.
  return (schema, target) => Reflect.apply(toJsonSchema, undefined, [schema, { target, errorMode: 'ignore' }])
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(?:ERR_)?MODULE_NOT_FOUND$/.test(String(error.code))
}

function toDocument(written: unknown): SchemaDocument {
  if (typeof written === 'boolean') return { schema: written ? {} : { not: {} }, definitions: {} }
  const { $schema: _dialect, $defs = {}, definitions = {}, ...schema } = toNode(written)
  const all = Object.entries({ ...toNode($defs), ...toNode(definitions) })
  return {
    schema,
    definitions: Object.fromEntries(all.flatMap(([name, each]) => (isRecord(each) ? [[name, each]] : []))),
  }
}
