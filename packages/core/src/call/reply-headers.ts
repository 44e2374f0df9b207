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

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: it rejects control characters
const unsafeValue = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/

function check(name: string, value: string): string {
  const key = name.toLowerCase()
  if (!tokenPattern.test(key)) throw new TypeError(`'${name}' is not a header name`)
  if (unsafeValue.test(value))
    throw new TypeError(`The value of header '${key}' holds characters that a header cannot carry`)
  return key
}
