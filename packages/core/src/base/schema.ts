import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Any Standard Schema (https://standardschema.dev): valibot, zod, arktype. `unknown` stands for "any input". */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** A schema of which nothing but its being one is known. */
export type AnySchema = StandardSchemaV1<unknown, unknown>

/** What a caller has to send for `S`. */
export type InputOf<S extends AnySchema> = StandardSchemaV1.InferInput<S>

/** What `S` makes of it. */
export type OutputOf<S extends AnySchema> = StandardSchemaV1.InferOutput<S>

/** One thing wrong with an input: where (`author.name`, `items[2].id`, `` for the whole) and what. */
export interface Issue {
  readonly path: string
  readonly message: string
}

type SchemaIssue = StandardSchemaV1.Issue

/** Standard Schema's issues as the wire shows them. */
export function toIssues(issues: readonly SchemaIssue[]): Issue[] {
  return issues.map((issue) => ({ path: toPath(issue.path), message: issue.message }))
}

function toPath(path: SchemaIssue['path']): string {
  let text = ''
  for (const segment of path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment
    if (typeof key === 'number') text += `[${key}]`
    else text += text === '' ? String(key) : `.${String(key)}`
  }
  return text
}
