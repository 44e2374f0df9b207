/**
 * The elements of an array as PostgreSQL writes it: `{a,NULL,"b,\"c\""}`, `[0:1]={1,2}`. Quoted elements are never NULL. `read` returns the
 * value of the text of an element.
 *
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function fromArrayText(text: string, read: (element: string) => unknown, separator = ','): unknown[] {
  // Bounds other than 1 precede the elements; JavaScript arrays have none.
  const start = text.startsWith('[') ? text.indexOf('={') + 1 : 0
  if (text[start] !== '{' || !text.endsWith('}')) throw new TypeError('Not the text of an array')
  return new ArrayReader(text, start + 1, read, separator).elements()
}

class ArrayReader {
  readonly #text: string
  readonly #read: (element: string) => unknown
  readonly #separator: string
  #at: number

  constructor(text: string, at: number, read: (element: string) => unknown, separator: string) {
    this.#text = text
    this.#at = at
    this.#read = read
    this.#separator = separator
  }

  /** From after the opening brace to after the closing one. */
  elements(): unknown[] {
    const elements: unknown[] = []
    for (;;) {
      switch (this.#text[this.#at]) {
        case '}':
          this.#at += 1
          return elements
        case this.#separator:
          this.#at += 1
          break
        case '{':
          this.#at += 1
          elements.push(this.elements())
          break
        case '"':
          this.#at += 1
          elements.push(this.#read(this.#quoted()))
          break
        case undefined:
          throw new TypeError('Not the text of an array')
        default:
          elements.push(this.#plain())
      }
    }
  }

  #quoted(): string {
    const text = this.#text
    let value = ''
    for (let from = this.#at; ; ) {
      let end = from
      while (end < text.length && text[end] !== '"' && text[end] !== '\\') end += 1
      value += text.slice(from, end)
      if (text[end] !== '\\') {
        this.#at = end + 1
        return value
      }
      // A character after a backslash is literal.
      value += text[end + 1] ?? ''
      from = end + 2
    }
  }

  #plain(): unknown {
    const text = this.#text
    let end = this.#at
    while (end < text.length && text[end] !== this.#separator && text[end] !== '}') end += 1
    const element = text.slice(this.#at, end)
    this.#at = end
    return element === 'NULL' ? null : this.#read(element)
  }
}

/** As PostgreSQL reads it. `write` returns the text of an element that is not null. */
export function toArrayText(value: unknown, write: (element: unknown) => string): string {
  if (value === null || value === undefined) return 'NULL'
  if (Array.isArray(value)) return `{${value.map((each) => toArrayText(each, write)).join(',')}}`
  return `"${write(value).replaceAll(/["\\]/g, '\\$&')}"`
}
