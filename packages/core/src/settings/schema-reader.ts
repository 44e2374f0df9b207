import { BootError } from '../base/boot-error.ts'
import type { Schema } from '../base/schema.ts'
import { failed, type Reader, type Reading } from './reader.ts'

/**
 * Reads a string with a Standard Schema. Messages of the schema are shown without the received value, which libraries quote
 * (`Expected number but received "hunter2"`).
 */
export function schemaReader<T>(schema: Schema<string, T>, name: string): Reader<T> {
  return {
    expects: 'a string that its schema accepts',
    show: (value) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))),
    read: (text) => validate(schema, name, text),
  }
}

function validate<T>(schema: Schema<string, T>, name: string, text: string): Reading<T> {
  let result: ReturnType<(typeof schema)['~standard']['validate']>
  try {
    result = schema['~standard'].validate(text)
  } catch {
    // A transformation that throws, such as JSON.parse, quotes the string in its message.
    return failed('is invalid: its schema threw an error')
  }
  if (result instanceof Promise) {
    // The result is not used: its rejection must not be unhandled.
    result.catch(() => {})
    throw new BootError(
      'bad_option',
      `The schema of the variable ${name} is asynchronous: settings are read synchronously`,
    )
  }
  if (result.issues === undefined) return { ok: true, value: result.value }
  const messages = result.issues.map(({ message }) => withoutValue(message, text))
  return failed(`is invalid: ${[...new Set(messages)].join('; ')}`)
}

/** Removes the received value, and quoted parts of it. */
function withoutValue(message: string, text: string): string {
  const hidden = text.length < minPieceLength ? message : message.replaceAll(text, '…')
  const shown = hidden
    .replace(/\s*(?:\bbut received|[:,;]?\s*\breceived|\(was|, was|, got)\b[\s\S]*$/i, '')
    .replace(/(["'`])((?:(?!\1).)+)\1/g, (whole, quote: string, inner: string) =>
      isPiece(inner, text) ? `${quote}…${quote}` : whole,
    )
    .replace(/\/\/[^/@\s]*@/g, '//…@')
  return shown === '' ? 'the schema rejects it' : shown
}

/** Shorter pieces are part of too many words to be searched for. */
const minPieceLength = 4

const isPiece = (inner: string, text: string): boolean =>
  inner === text || (inner.length >= minPieceLength && text.includes(inner))
