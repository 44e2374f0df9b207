import type { DatabaseFailure } from './errors.ts'

/**
 * What a caller is told when a constraint is broken, by its name: a text, or what makes one of the values that broke it, by column
 * (`{ name: 'Ann' }`; empty when PostgreSQL does not tell).
 */
export type ConstraintWordings = Readonly<
  Record<string, string | ((values: Readonly<Record<string, string>>) => string)>
>

/** Null when there is none: what it is then is for the code to say. */
export function toWording({ constraint, detail }: DatabaseFailure, wordings: ConstraintWordings): string | null {
  if (constraint === null || !Object.hasOwn(wordings, constraint)) return null
  const wording = wordings[constraint]
  return (typeof wording === 'function' ? wording(toValues(detail)) : wording) || null
}

/** `Key (name, country)=(Ann, US) already exists.`, in whatever language the rest of it is. */
function toValues(detail: string | null): Record<string, string> {
  const [, left, right] = /\((.+?)\)=\((.*)\)/s.exec(detail ?? '') ?? []
  if (left === undefined || right === undefined) return {}
  const columns = left.split(', ')
  if (columns.length === 1) return Object.fromEntries([[left, right]])
  const values = right.split(', ')
  // A value with a comma in it: which is which cannot be told.
  if (values.length !== columns.length) return {}
  return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? '']))
}
