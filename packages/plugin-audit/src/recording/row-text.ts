import { redact, redactText } from '@twinwire/core/plugin'

/** At the end of what was cut. */
const cutMark = '[…]'
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
