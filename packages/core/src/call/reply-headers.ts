/** Headers that steps, plugins and handlers add to a reply. */
export class ReplyHeaders {
  readonly #entries: [name: string, value: string][] = []

  /** Replaces every header of that name. */
  set(name: string, value: string): void {
    const key = check(name, value)
    for (let i = this.#entries.length - 1; i >= 0; i--) if (this.#entries[i]?.[0] === key) this.#entries.splice(i, 1)
    this.#entries.push([key, value])
  }

  /** Adds one more, for headers that may repeat. */
  append(name: string, value: string): void {
    this.#entries.push([check(name, value), value])
  }

  /** Replaces all headers by these. */
  reset(entries: readonly (readonly [name: string, value: string])[]): void {
    this.#entries.length = 0
    for (const [name, value] of entries) this.#entries.push([name, value])
  }

  /** In the order in which they are written; lower-case names. */
  entries(): readonly (readonly [name: string, value: string])[] {
    return this.#entries
  }
}

/** Adds those of a reply. Without any, nothing is created. */
export function addHeaders(
  call: { readonly replyHeaders: ReplyHeaders },
  headers: Readonly<Record<string, string | readonly string[]>>,
): void {
  for (const [name, values] of Object.entries(headers)) {
    if (typeof values === 'string') call.replyHeaders.set(name, values)
    else for (const each of values) call.replyHeaders.append(name, each)
  }
}

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: it rejects control characters
const unsafeValue = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/
/** Up to here a loop costs less than the expression. */
const shortLength = 64

/** Names in lower case that were found valid: those of an app are few. */
const validNames = new Set<string>()
const maxValidNames = 1000

function check(name: string, value: string): string {
  const key = validNames.has(name) ? name : checkName(name)
  if (!isSafe(value)) throw new TypeError(`The value of header '${key}' holds characters that a header cannot carry`)
  return key
}

function checkName(name: string): string {
  const key = name.toLowerCase()
  if (!tokenPattern.test(key)) throw new TypeError(`'${name}' is not a header name`)
  if (validNames.size < maxValidNames) validNames.add(key)
  return key
}

function isSafe(value: string): boolean {
  if (typeof value !== 'string' || value.length > shortLength) return !unsafeValue.test(value)
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false
  }
  return true
}
