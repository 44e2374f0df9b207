/**
 * The JSON form of what a handler may return and JSON does not have: a Date is an ISO 8601 string (by its own `toJSON`), a
 * BigInt its decimal digits as a string, bytes are base64, a UUID is a string already; NaN and the infinities are null, as
 * JSON.stringify has it. A Map, a Set, a symbol or a function has none and throws: it would arrive as `{}` or vanish.
 *
 * Returns `value` itself when nothing in it needs another form.
 */
export function toJsonValue(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return value.toString()
    case 'symbol':
    case 'function':
      throw new TypeError(`A ${typeof value} has no JSON form`)
    case 'object':
      return value === null ? null : fromObject(value)
    default:
      return value
  }
}

function fromObject(value: object): unknown {
  if (Array.isArray(value)) return fromArray(value)
  if (value instanceof Uint8Array) return toBase64(value)
  if (value instanceof Map || value instanceof Set) throw new TypeError(`A ${value.constructor.name} has no JSON form`)
  if ('toJSON' in value) return value
  let copy: Record<string, unknown> | null = null
  for (const [key, item] of Object.entries(value)) {
    const form = toJsonValue(item)
    if (form === item) continue
    copy ??= { ...value }
    copy[key] = form
  }
  return copy ?? value
}

function fromArray(items: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | null = null
  for (let i = 0; i < items.length; i++) {
    const form = toJsonValue(items[i])
    if (form === items[i]) continue
    copy ??= [...items]
    copy[i] = form
  }
  return copy ?? items
}

/** Standard alphabet, padded: RFC 4648 section 4. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/**
 * The bytes of what `toBase64` wrote; undefined for any other text: without padding, with other characters.
 *
 * @example
 * fromBase64('AQID') // Uint8Array [1, 2, 3]
 * fromBase64('AQ') // undefined: 'AQ==' has its padding
 */
export function fromBase64(text: string): Uint8Array | undefined {
  // Node ignores what is not base64.
  const bytes = Buffer.from(text, 'base64')
  // Own memory: a small Buffer is a part of a pool.
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined
}

/** Bytes as base64, anything else as it is. */
export function toFrameValue(value: unknown): unknown {
  return value instanceof Uint8Array ? toBase64(value) : value
}
