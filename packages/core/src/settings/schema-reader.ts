import { BootError } from '../base/boot-error.ts'
import type { Schema } from '../base/schema.ts'
import { failed, type Reader, type Reading } from './reader.ts'

/**
 * Reads by a Standard Schema of a text. What the schema says of a mistake is shown without what was received: libraries quote it
 * (`Expected number but received "hunter2"`).
 */
export function schemaReader<T>(schema: Schema<string, T>, name: string): Reader<T> {
  return {
    expects: 'a text that its schema takes',
    show: (value) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))),
    read: (text) => validate(schema, name, text),
  }
}

function validate<T>(schema: Schema<string, T>, name: string, text: string): Reading<T> {
  let result: ReturnType<(typeof schema)['~standard']['validate']>
  try {
    result = schema['~standard'].validate(text)
  } catch {
    // A transformation that throws, such as JSON.parse, quotes the text in its message.
    return failed('is not right: its schema failed on it')
  }
  if (result instanceof Promise) {
    // Its rejection is nobody's.
    result.catch(() => {})
    throw new BootError('bad_option', `The schema of the variable ${name} is asynchronous: settings are read at once`)
  }
  if (result.issues === undefined) return { ok: true, value: result.value }
  const messages = result.issues.map(({ message }) => withoutValue(message, text))
  return failed(`is not right: ${[...new Set(messages)].join('; ')}`)
}

/** Cuts what was received, and anything quoted that stands in the text. */
function withoutValue(message: string, text: string): string {
  const told = text.length < leastTold ? message : message.replaceAll(text, '…')
  const said = told
    .replace(/\s*(?:\bbut received|[:,;]?\s*\breceived|\(was|, was|, got)\b[\s\S]*$/i, '')
    .replace(/(["'`])((?:(?!\1).)+)\1/g, (whole, quote: string, inner: string) =>
      isPiece(inner, text) ? `${quote}…${quote}` : whole,
    )
    .replace(/\/\/[^/@\s]*@/g, '//…@')
  return said === '' ? 'it does not fit' : said
}

/** What is shorter stands in too many words to be looked for. */
const leastTold = 4

const isPiece = (inner: string, text: string): boolean =>
  inner === text || (inner.length >= leastTold && text.includes(inner))
