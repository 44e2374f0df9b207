import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Any Standard Schema (https://standardschema.dev): valibot, zod, arktype. `unknown` means "any input". */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** A schema of unknown input and output. */
export type AnySchema = StandardSchemaV1<unknown, unknown>

/** The input type of `S`: what a caller sends. */
export type InputOf<S extends AnySchema> = StandardSchemaV1.InferInput<S>

/** The output type of `S`. */
export type OutputOf<S extends AnySchema> = StandardSchemaV1.InferOutput<S>

/** One error of an input: its path (`author.name`, `items[2].id`, empty for the whole input) and a message. */
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
