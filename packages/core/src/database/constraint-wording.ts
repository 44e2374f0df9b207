import type { DatabaseFailure } from './errors.ts'

/**
 * Messages of violated constraints, by the name of the constraint: a string, or a function of the values that violate it, by column
 * (`{ name: 'Ann' }`; empty when PostgreSQL does not report them).
 */
export type ConstraintWordings = Readonly<
  Record<string, string | ((values: Readonly<Record<string, string>>) => string)>
>

/** Null when there is none: the error code then decides the message. */
export function toWording({ constraint, detail }: DatabaseFailure, wordings: ConstraintWordings): string | null {
  if (constraint === null || !Object.hasOwn(wordings, constraint)) return null
  const wording = wordings[constraint]
  return (typeof wording === 'function' ? wording(toValues(detail)) : wording) || null
}

/** `Key (name, country)=(Ann, US) already exists.`; the rest may be in another language. */
function toValues(detail: string | null): Record<string, string> {
  const [, left, right] = /\((.+?)\)=\((.*)\)/s.exec(detail ?? '') ?? []
  if (left === undefined || right === undefined) return {}
  const columns = left.split(', ')
  if (columns.length === 1) return Object.fromEntries([[left, right]])
  const values = right.split(', ')
  // A value contains a comma: the values cannot be separated.
  if (values.length !== columns.length) return {}
  return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? '']))
}
