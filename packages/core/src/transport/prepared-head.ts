import { findBadHeader, isFraming } from './answer-rules.ts'
import type { HeaderList } from './transport.ts'

/** Longest value. */
const maxLength = 128

/**
 * The headers of many answers: constant ones around one whose value differs from answer to answer. They are checked and composed once, so
 * that a transport can write all of them by one call.
 *
 * @example
 * const head = new PreparedHead([['x-frame-options', 'DENY']], 'x-correlation-id', [['content-type', 'text/plain']])
 * head.toList('order-4711') // [['x-frame-options', 'DENY'], ['x-correlation-id', 'order-4711'], ['content-type', 'text/plain']]
 */
export class PreparedHead {
  /** The name of the first header. */
  readonly firstName: string
  readonly #before: HeaderList
  readonly #name: string
  readonly #after: HeaderList
  readonly #names: ReadonlySet<string>
  /** What follows `<first name>: `, up to the value that differs, and what follows that. */
  readonly #start: Uint8Array
  readonly #end: Uint8Array
  /** All of it, by the length of the value, with that of the answer before; null for a head that keeps only the last. */
  readonly #composed: (Uint8Array | undefined)[] | null
  /** That of the last value, with `keeps: 'last'`. */
  #last: Uint8Array | undefined

  /**
   * `keeps`: the composed bytes that stay in memory: those of each length of a value, or, of a head of which there are many, those of the last value
   * only. A client may choose the length.
   *
   * @throws TypeError for a header that no answer may have. Headers that a transport writes itself are left out.
   */
  constructor(before: HeaderList, name: string, after: HeaderList, keeps: 'lengths' | 'last' = 'lengths') {
    const bad = findBadHeader([...before, [name, ''], ...after])
    if (bad !== null) throw bad
    this.#before = before.filter(isOurs)
    this.#after = after.filter(isOurs)
    this.#name = name
    this.#names = new Set([...this.#before, [name] as const, ...this.#after].map(([each]) => each))
    const start = `${this.#before.map(([each, value]) => `${each}: ${value}\r\n`).join('')}${name}: `
    const colon = start.indexOf(': ')
    this.firstName = start.slice(0, colon)
    this.#start = Buffer.from(start.slice(colon + 2), 'latin1')
    this.#composed = keeps === 'last' ? null : new Array<undefined>(maxLength + 1).fill(undefined)
    this.#end = Buffer.from(this.#after.map(([each, value]) => `\r\n${each}: ${value}`).join(''), 'latin1')
  }

  /** Is there a header of that name (lower case)? */
  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** As a list. */
  toList(value: string): HeaderList {
    return [...this.#before, [this.#name, value], ...this.#after]
  }

  /**
   * The bytes of all headers as they follow `<first name>: `, without the last line break; null when `value` is not 1 to 128 characters of
   * visible ASCII. Valid until the next call.
   */
  compose(value: string): Uint8Array | null {
    const { length } = value
    if (length === 0 || length > maxLength) return null
    const bytes = this.#find(length) ?? this.#create(length)
    let at = this.#start.length
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      // A line break would let a client write the rest of the answer.
      if (code < 0x21 || code > 0x7e) return null
      bytes[at++] = code
    }
    return bytes
  }

  #find(length: number): Uint8Array | undefined {
    if (this.#composed !== null) return this.#composed[length]
    return this.#last?.length === this.#start.length + length + this.#end.length ? this.#last : undefined
  }

  #create(length: number): Uint8Array {
    const bytes = new Uint8Array(this.#start.length + length + this.#end.length)
    bytes.set(this.#start)
    bytes.set(this.#end, this.#start.length + length)
    if (this.#composed === null) this.#last = bytes
    else this.#composed[length] = bytes
    return bytes
  }
}

function isOurs([name, value]: readonly [name: string, value: string]): boolean {
  return !isFraming(name, value)
}
