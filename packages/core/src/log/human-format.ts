import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const styles: Readonly<Record<string, Style>> = {
  trace: 'gray',
  debug: 'cyan',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: 'magenta',
}

/**
 * Formats one line of JSON for people: time, level, message, fields, and the stack of an error on the following lines.
 *
 * @example
 * toHuman('{"level":"info","time":"2026-01-02T03:04:05.678Z","url":"http://127.0.0.1:8000","msg":"Listening"}', false)
 * // '03:04:05.678 INFO  Listening url=http://127.0.0.1:8000\n'
 */
export function toHuman(line: string, colors: boolean): string {
  const parsed = parse(line)
  if (parsed === null) return line
  const { level, time, msg, err, ...fields } = parsed
  const paint = (style: Style, text: string): string =>
    colors ? styleText(style, text, { validateStream: false }) : text
  const name = String(level)
  const head = `${paint('gray', String(time).slice(11, 23))} ${paint(styles[name] ?? 'white', name.toUpperCase().padEnd(5))}`
  const rest = Object.entries(fields).map(([key, value]) => `${paint('gray', `${key}=`)}${toText(value)}`)
  return `${[head, ...(msg === undefined ? [] : [toText(msg, true)]), ...rest].join(' ')}\n${toTrace(err)}`
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    // JSON.parse of an object has string keys and unknown values.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches control characters
const control = /[\u0000-\u001f\u007f-\u009f]/

/** Text from a client must not start a new line, nor reach the terminal as a control sequence. */
function toText(value: unknown, bare = false): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? ''
  return control.test(value) || (!bare && /[\s"=]|^$/.test(value)) ? escapeControl(JSON.stringify(value)) : value
}

function escapeControl(text: string): string {
  return text.replace(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
}

/** The error and its causes, with stacks and own properties. */
function toTrace(err: unknown, prefix = '  '): string {
  if (typeof err !== 'object' || err === null) return err === undefined ? '' : `${prefix}${toText(err)}\n`
  const { type, message, stack, cause, ...own } = err as Record<string, unknown>
  const text = typeof stack === 'string' && stack !== '' ? stack : `${String(type)}: ${String(message)}`
  const lines = text.split('\n').map((each) => `${prefix}${toText(each, true)}\n`)
  if (Object.keys(own).length > 0) lines.push(`${prefix}${toText(own)}\n`)
  if (cause !== undefined) lines.push(`${prefix}caused by\n${toTrace(cause, `${prefix}  `)}`)
  return lines.join('')
}
