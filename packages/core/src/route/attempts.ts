import type { ActiveCall } from '../call/active-call.ts'
import type { EffectsMark } from '../call/effects.ts'

/** The attempts of an interceptor that may repeat: none of them sees what the one before left on the call. */
export class Attempts {
  readonly #call: ActiveCall
  readonly #input: unknown
  #mark: EffectsMark | null = null
  #headers: readonly (readonly [name: string, value: string])[] | null = null

  constructor(call: ActiveCall, input: unknown) {
    this.#call = call
    this.#input = input
  }

  /** Returns the input of the attempt that begins: a copy, since a handler may write into what it is given. */
  begin(): unknown {
    const { effects, addedHeaders } = this.#call
    if (this.#mark === null || this.#headers === null) {
      this.#mark = effects.mark
      this.#headers = addedHeaders === null ? [] : [...addedHeaders.entries()]
    } else {
      effects.rewind(this.#mark)
      addedHeaders?.reset(this.#headers)
    }
    return copyPlain(this.#input)
  }
}

/** Arrays, plain objects and dates, as deep as they go; anything else is what it was made to be and stays the same one. */
export function copyPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyPlain)
  if (value instanceof Date) return new Date(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy: object = Object.create(prototype)
  for (const [key, part] of Object.entries(value)) {
    Object.defineProperty(copy, key, { value: copyPlain(part), writable: true, enumerable: true, configurable: true })
  }
  return copy
}
