import { redact, redactText } from '@twinwire/core/plugin'

/** At the end of what was cut. */
export const cutMark = '[…]'
const markBytes = Buffer.byteLength(cutMark)

const printable = /^[\x20-\x7e]*$/
/** What a text column, or a terminal that shows it, does not take. */
const controls = /(?![\t\n])\p{Cc}|\p{Surrogate}/gu
/** What jsonb does not take, escaped or not. */
const noJson = /\0|\p{Surrogate}/gu

/** A value of a text column: without secrets and control characters, at most `maxBytes` in UTF-8. Null stays null. */
export function toColumn(text: string | null | undefined, maxBytes: number): string | null {
  if (text === null || text === undefined) return null
  // Longer than any column: redaction need not read the rest.
  const given = text.length > maxBytes * 2 ? text.slice(0, maxBytes * 2) : text
  const redacted = redactText(given)
  const fixed = printable.test(redacted) ? redacted : redacted.replace(controls, '\ufffd')
  return cut(fixed, maxBytes)
}

function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text
  const kept = Buffer.from(text).toString('utf8', 0, maxBytes - markBytes)
  // A character that was cut in two.
  return `${kept.replace(/\ufffd$/, '')}${cutMark}`
}

function toJsonText(text: string): string {
  const redacted = redactText(text)
  return printable.test(redacted) ? redacted : redacted.replace(noJson, '\ufffd')
}

const options = { toText: toJsonText }

/**
 * JSON of what a caller sent, without its secrets; `null` when there is nothing. Longer than `maxBytes` it is a string, the beginning of that JSON
 * and the mark.
 */
export function toRequestData(input: unknown, maxBytes: number): string {
  if (input === undefined || input === null || input instanceof Request) return 'null'
  const json = JSON.stringify(redact(input, options)) ?? 'null'
  if (json === '{}') return 'null'
  if (json.length * 3 <= maxBytes || Buffer.byteLength(json) <= maxBytes) return json
  return toBeginning(json, maxBytes)
}

export function toBeginning(json: string, maxBytes: number): string {
  for (let length = Math.min(json.length, maxBytes); ; length = Math.floor(length * 0.8)) {
    // A surrogate that was cut from its other half.
    const beginning = JSON.stringify(json.slice(0, length).replace(/\p{Surrogate}/gu, '') + cutMark)
    if (Buffer.byteLength(beginning) <= maxBytes || length === 0) return beginning
  }
}

/** A path with the values of secret parameters replaced, and of what follows a secret key in it. */
export function toResource(path: string, pattern: string | null, isSecretKey: (key: string) => boolean): string {
  const segments = path.split('/')
  const names = pattern?.split('/') ?? null
  let isSecret = false
  const shown = segments.map((segment, i) => {
    const name = names?.[i]
    if (name?.startsWith('*')) isSecret ||= isSecretKey(name.slice(1))
    else if (name !== undefined) isSecret = name.startsWith(':') && isSecretKey(name.slice(1))
    // Without a route the names of the parameters are unknown: `/reset/token/abc`.
    else if (names === null) isSecret = i > 0 && isSecretKey(decode(segments[i - 1] ?? ''))
    return isSecret && segment !== '' ? '[REDACTED]' : toSegment(segment)
  })
  return shown.join('/')
}

function toSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  const plain = decode(segment)
  return redactText(plain) === plain ? segment : '[REDACTED]'
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
