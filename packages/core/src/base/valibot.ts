import type { AnySchema } from './schema.ts'

/**
 * What core reads of a valibot schema to compile a plan from it. Structure only: valibot itself is never imported, so an app
 * that brings another validator does without it.
 */
export interface ValibotSchema {
  readonly kind: 'schema'
  readonly type: string
  readonly async: boolean
  readonly entries?: Readonly<Record<string, ValibotSchema>>
  readonly rest?: ValibotSchema
  readonly item?: ValibotSchema
  readonly items?: readonly ValibotSchema[]
  readonly key?: ValibotSchema
  readonly value?: ValibotSchema
  readonly wrapped?: ValibotSchema
  readonly default?: unknown
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  readonly enum?: Readonly<Record<string, unknown>>
  readonly pipe?: readonly { readonly kind: string; readonly type: string }[]
}

/** The structure of a valibot schema; null for any other vendor's. */
export function toValibot(schema: AnySchema): ValibotSchema | null {
  if (schema['~standard'].vendor !== 'valibot') return null
  // The vendor says what it is; every field beyond these three is optional and looked at before use.
  return schema as unknown as ValibotSchema
}
