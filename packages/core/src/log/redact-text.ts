import { isSecretKey } from './secret-keys.ts'

const redacted = '[REDACTED]'

const bearer = /\b(bearer)\s+[\w.~+/=-]{4,}/gi
const basic = /\b(basic)\s+[\w+/-]{6,}={0,2}/gi
/** Three base64url parts; the first one starts with `{"`. What was cut may end within the second one. */
const jwt = /\beyJ[\w-]{8,512}\.[\w-]+(?:\.[\w-]*|(?=\[…\]|$))/g
const urlPassword = /(:\/\/[^\s:/@"]*):[^\s/@"]+@/g

/**
 * Replaces credentials whose form says what they are: after `Bearer` and `Basic`, JSON Web Tokens, passwords in URLs. The form is the same within
 * JSON, so it takes lines of a log too.
 */
function redactCredentials(text: string): string {
  let scrubbed = text
  // One search for both: it takes longer than all the others.
  if (/(?:bearer|basic)\s/i.test(text)) scrubbed = scrubbed.replace(bearer, `$1 ${redacted}`).replace(basic, toBasic)
  if (text.includes('eyJ')) scrubbed = scrubbed.replace(jwt, redacted)
  if (text.includes('://')) scrubbed = scrubbed.replace(urlPassword, `$1:${redacted}@`)
  return scrubbed
}

/** Base64 has digits, capitals or padding; what follows in "basic settings" has none. */
function toBasic(whole: string, scheme: string): string {
  return /[A-Z0-9=]/.test(whole.slice(scheme.length)) ? `${scheme} ${redacted}` : whole
}

/**
 * Keys are matched from their first character alone, so that the time is proportional to the length: of one that is long, `isSecretKey` reads the end.
 * A key, what may close it, and what separates it from its value; a value in quotes may follow after a space alone.
 */
const assignment =
  /(?<![\p{L}\p{M}\p{N}_$.-])([\p{L}\p{M}\p{N}_$.-]{2,})((?:\\{0,32}["'`]|\]|%5D|%22|%27){0,4})(\s{0,8}(?:=>|:=|[:=>]|%3A|%3D)\s{0,8}|\s{1,8}(?=\\{0,32}["'`]))/giu
/** Those of JSON within a string of JSON, and `key=value`: what is a field of the line itself has been redacted. */
const assignmentInLine =
  /(?<![\p{L}\p{M}\p{N}_$.-])([\p{L}\p{M}\p{N}_$.-]{2,})((?:\\{1,32}["'`]|\]|%5D|%22|%27){0,4})((?<=\\["'`])\s{0,8}:\s{0,8}|\s{0,8}(?:=>?|%3D)\s{0,8})/giu
const mayAssign = /[:=>"'`%]/

/** Last words of keys of several: `api key`, `social security number`. */
const lastWords = /^(?:keys?|numbers?|cards?|words?|phrases?|codes?)$/i
const wordsBefore = /(?:[\p{L}\p{N}]{1,32} ){1,3}$/u

/**
 * A copy of a string without the secrets in it: credentials by their form, and what follows a secret key, as in `password=x`,
 * `"apiKey": "x"`, `user-pwd: x`, also in JSON within JSON. A value without quotes ends at a comma, a bracket, the end of the line or the next
 * `key=`, so a sentence may lose its end.
 *
 * @example
 * redactText('no user for {"token":"abc"}') // 'no user for {"token":"[REDACTED]"}'
 */
export function redactText(text: string): string {
  const scrubbed = redactCredentials(text)
  return mayAssign.test(scrubbed) ? redactValues(toPlain(scrubbed), assignment, false) : scrubbed
}

/** The same for a line of JSON, which stays one. */
export function redactLine(line: string): string {
  const scrubbed = redactCredentials(line)
  if (!scrubbed.includes('=') && !scrubbed.includes('\\"')) return scrubbed
  return redactValues(scrubbed, assignmentInLine, true)
}

/** Letters that JSON need not escape, but may: `pass\u0077ord`. */
function toPlain(text: string): string {
  if (!text.includes('\\u00')) return text
  return text.replace(/\\+u00([3-7][\da-f])/gi, (whole, code: string) => {
    const char = String.fromCharCode(Number.parseInt(code, 16))
    return /\w/.test(char) ? char : whole
  })
}

function redactValues(text: string, pattern: RegExp, inLine: boolean): string {
  let result = ''
  let copied = 0
  const search = new RegExp(pattern)
  for (let match = search.exec(text); match !== null; match = search.exec(text)) {
    const [whole, key = '', closing = ''] = match
    if (!isSecret(text, match.index, key)) {
      // What separates it from its value may be a part of the next key: `at:password=x`.
      search.lastIndex = match.index + key.length
      continue
    }
    const { start, end } = findValue(text, match.index + whole.length, inLine ? Math.max(1, slashesIn(closing)) : 0)
    search.lastIndex = Math.max(end, match.index + key.length)
    if (start >= end || isPlaceholder(text, start)) continue
    result += text.slice(copied, start) + redacted
    copied = end
  }
  return copied === 0 ? text : result + text.slice(copied)
}

/** Of a statement: `password = $1`. */
function isPlaceholder(text: string, at: number): boolean {
  return /^\$\d{1,5}(?![\w$])/.test(text.slice(at, at + 8))
}

function isSecret(text: string, at: number, key: string): boolean {
  // What JSON.parse says of a character.
  if (isSecretKey(key)) return key !== 'token' || !text.slice(0, at).endsWith('Unexpected ')
  if (!lastWords.test(key)) return false
  const before = wordsBefore.exec(text.slice(Math.max(0, at - 100), at))
  return before !== null && isSecretKey(before[0] + key)
}

function slashesIn(closing: string): number {
  return closing.split('\\').length - 1
}

interface Span {
  readonly start: number
  readonly end: number
}

/** Inside of its quotes, if it has some. `least`: a quote with fewer backslashes ends the string that all of this is in. */
function findValue(text: string, from: number, least: number): Span {
  const slashes = countSlashes(text, from, 1)
  const first = text[from + slashes] ?? ''
  if (isQuote(first) && opens(slashes, least)) {
    const start = from + slashes + 1
    return { start, end: findQuote(text, start, first, slashes) }
  }
  if (first === '{' || first === '[') return { start: from, end: findBracket(text, from, least) }
  return { start: from, end: findBareEnd(text, from) }
}

/** A quote with 0, 1, 3, 7 … backslashes begins a string of a level; any other ends the one that it is in. */
function opens(slashes: number, least: number): boolean {
  return slashes >= least && (slashes & (slashes + 1)) === 0
}

function isQuote(char: string | undefined): boolean {
  return char === '"' || char === "'" || char === '`'
}

/** How many backslashes begin at `at`, or end before it. */
function countSlashes(text: string, at: number, step: 1 | -1): number {
  let count = 0
  for (let i = step === 1 ? at : at - 1; text[i] === '\\'; i += step) count++
  return count
}

/** A quote in a string of JSON has an escaped backslash before it for each level that the string is nested in. */
function findQuote(text: string, from: number, quote: string, escapes: number): number {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    const slashes = Math.min(countSlashes(text, at, -1), at - from)
    const levels = (slashes - escapes) / (escapes + 1)
    // The string that this one is in has ended.
    if (levels < 0 || !Number.isInteger(levels)) return at - slashes
    if (levels % 2 === 1) continue
    // SQL doubles a quote.
    if (quote === "'" && at > from && text[at + 1] === quote) at++
    else return at - escapes
  }
  return text.length
}

/** Of an object or a list. */
function findBracket(text: string, from: number, least: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') {
      depth--
      if (depth === 0) return at + 1
    } else if (char === '"') {
      const slashes = countSlashes(text, at, -1)
      if (!opens(slashes, least)) return at - slashes
      const end = findQuote(text, at + 1, char, slashes)
      // The string that all of this is in has ended.
      if (countSlashes(text, end, 1) < slashes) return end
      at = end + slashes
    }
  }
  return text.length
}

const bareEnd = /[,;&\n\r"'`<>(){}[\]|]/
const nextAssignment = /\s{1,8}[\p{L}\p{M}\p{N}_$.-]{1,128}\s{0,8}[:=]/uy

function findBareEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? ''
    if (char === '[' && text.startsWith(redacted, at)) at += redacted.length - 1
    else if (bareEnd.test(char)) return at - (isQuote(char) ? Math.min(countSlashes(text, at, -1), at - from) : 0)
    if (char !== ' ' && char !== '\t') continue
    nextAssignment.lastIndex = at
    if (nextAssignment.test(text)) return at
  }
  return text.length
}
