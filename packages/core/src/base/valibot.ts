import type { AnySchema } from './schema.ts'

/**
 * The parts of a valibot schema that core reads to compile it. Only the structure: valibot itself is never imported, so an app
 * with another validator does not need it.
 */
export interface ValibotSchema {
  readonly kind: 'schema'
  readonly type: string
  readonly async: boolean
  readonly '~standard': AnySchema['~standard']
  readonly entries?: Readonly<Record<string, ValibotSchema>>
  readonly rest?: ValibotSchema
  readonly item?: ValibotSchema
  readonly items?: readonly ValibotSchema[]
  /** Of a record a schema; of a variant the name of a key. */
  readonly key?: ValibotSchema | string
  readonly value?: ValibotSchema
  readonly wrapped?: ValibotSchema
  readonly default?: unknown
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  /** Of `instance`. */
  readonly class?: unknown
  /** Of `lazy`. */
  readonly getter?: unknown
  readonly enum?: Readonly<Record<string, unknown>>
  readonly pipe?: readonly (ValibotSchema | ValibotAction)[]
}

/** A part of a pipe that is not a schema. */
export interface ValibotAction {
  readonly kind: 'validation' | 'transformation' | 'metadata'
  readonly type: string
  readonly requirement?: unknown
}

export function isSchema(value: unknown): value is ValibotSchema {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema'
}

/** The structure of a valibot schema; null for any other vendor's. */
export function toValibot(schema: AnySchema): ValibotSchema | null {
  if (schema['~standard'].vendor !== 'valibot') return null
  // `vendor` identifies it; every field except these three is optional and checked before use.
  return schema as unknown as ValibotSchema
}
