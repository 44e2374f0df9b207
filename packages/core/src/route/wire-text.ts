import { isPromise } from '../base/maybe-promise.ts'
import { type AnySchema, type Issue, toIssues } from '../base/schema.ts'
import type { ValibotSchema } from '../base/valibot.ts'
import { fromBase64 } from '../protocol/json-value.ts'
import { toBigint, toDate } from './numerals.ts'

/** Reads text as a value; undefined where it is none. */
export type ReadText = (text: string) => unknown

/** A type that JSON does not have, and that a client sends as text. */
export type WireType = 'date' | 'bigint' | 'bytes'

/** What a schema of one value expects instead of text; null for every other schema. */
export function toWireType({ type, class: of, literal, options }: ValibotSchema): WireType | null {
  if (type === 'date' || (type === 'instance' && of === Date)) return 'date'
  if (type === 'bigint' || (type === 'literal' && typeof literal === 'bigint')) return 'bigint'
  if (type === 'picklist' && options?.some((option) => typeof option === 'bigint') === true) return 'bigint'
  return type === 'instance' && (of === Uint8Array || of === Buffer) ? 'bytes' : null
}

/** How the text of such a value is read. */
export function toReadText(schema: ValibotSchema, wireType: WireType): ReadText {
  if (wireType === 'date') return toDate
  if (wireType === 'bytes') return schema.class === Buffer ? toBuffer : fromBase64
  const { type, literal, options = [] } = schema
  if (type === 'bigint') return toBigint
  const values = type === 'literal' ? [literal] : options
  return (text) => {
    if (values.includes(text)) return undefined
    const value = toBigint(text)
    return values.includes(value) ? value : undefined
  }
}

function toBuffer(text: string): Buffer | undefined {
  const bytes = fromBase64(text)
  return bytes === undefined ? undefined : Buffer.from(bytes.buffer)
}

// ---- messages

type SchemaIssues = Parameters<typeof toIssues>[0]

/** Of valibot's names of types, as its issues have them. */
const forms: Readonly<Record<string, string>> = {
  Date: 'an ISO 8601 date-time such as 2024-02-29T12:00:00Z, or a date such as 2024-02-29',
  bigint: 'a decimal integer as text, such as "42"',
  Uint8Array: 'base64 with padding, such as "AQID"',
  Buffer: 'base64 with padding, such as "AQID"',
}

/** As `toIssues`, but valibot's own messages say what to send: no client can send a Date. Messages of the application stay. */
export function toWireIssues(issues: SchemaIssues): Issue[] {
  return toIssues(issues.map((issue) => ({ ...issue, message: toMessage(issue) })))
}

function toMessage(issue: SchemaIssues[number]): string {
  const { message } = issue
  if (!('expected' in issue) || typeof issue.expected !== 'string' || !('received' in issue)) return message
  const { expected, received } = issue
  if (message !== `Invalid type: Expected ${expected} but received ${String(received)}`) return message
  const form = forms[expected]
  if (form !== undefined) return `Must be ${form}`
  const names = /^\((.*)\)$/.exec(expected)?.[1]?.split(' | ') ?? []
  return names.some((name) => Object.hasOwn(forms, name))
    ? `Must be one of: ${names.map((name) => forms[name] ?? name).join('; ')}`
    : message
}

/** True where the schema returns the value, or another one for it. Null for a schema that is asynchronous. */
export function fits(schema: Pick<AnySchema, '~standard'>, value: unknown): boolean | null {
  const result = schema['~standard'].validate(value)
  if (!isPromise(result)) return result.issues === undefined
  // The schema runs again later, and fails then too.
  result.catch(() => {})
  return null
}
