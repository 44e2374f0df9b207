import { pageInput } from '@twinwire/core/database/valibot'
import * as v from 'valibot'

/** The range of PostgreSQL's `serial`. */
const AuthorIdSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1))
const AuthorNameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(255))
const PartOfNameSchema = v.pipe(v.string(), v.maxLength(255))

/** An author, as sent on both wires. */
export const AuthorSchema = v.object({ id: AuthorIdSchema, name: AuthorNameSchema })
export type Author = v.InferOutput<typeof AuthorSchema>

/** What happened to an author. `name` is null for one that was deleted. */
export const AuthorChangeSchema = v.object({
  change: v.picklist(['created', 'updated', 'deleted']),
  id: AuthorIdSchema,
  name: v.nullable(AuthorNameSchema),
})

// Inputs are strict: a misspelt key is an error and not ignored.

const FiltersSchema = v.strictObject({
  id: v.optional(AuthorIdSchema),
  /** The exact name. */
  name: v.optional(v.string()),
})

export const GetAuthorsInput = v.strictObject({
  ...FiltersSchema.entries,
  /** Part of a name, in upper or lower case. It overrides `id` and `name`. */
  search_term: v.optional(PartOfNameSchema),
})
export type GetAuthorsInput = v.InferOutput<typeof GetAuthorsInput>

export const GetPaginatedAuthorsInput = v.strictObject({
  /** By number (`page`), or by `cursor`, which continues after the previous page; an empty one starts at the beginning. */
  ...pageInput(),
  filters: v.optional(
    v.strictObject({
      id: v.optional(AuthorIdSchema),
      /** Part of a name, in upper or lower case. */
      name: v.optional(PartOfNameSchema),
    }),
    {},
  ),
  /** The relations to load with each author. Authors have none. */
  eager_load: v.optional(v.pipe(v.array(v.string()), v.maxLength(0, 'Authors have no relations'))),
})
export type GetPaginatedAuthorsInput = v.InferOutput<typeof GetPaginatedAuthorsInput>

export const AuthorIdInput = v.strictObject({ id: AuthorIdSchema })
export type AuthorIdInput = v.InferOutput<typeof AuthorIdInput>

export const CreateAuthorInput = v.strictObject({ name: AuthorNameSchema })
export type CreateAuthorInput = v.InferOutput<typeof CreateAuthorInput>

export const UpdateAuthorInput = v.strictObject({ id: AuthorIdSchema, name: AuthorNameSchema })
export type UpdateAuthorInput = v.InferOutput<typeof UpdateAuthorInput>
