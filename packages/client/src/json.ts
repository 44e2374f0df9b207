/** JSON of what is sent. What JSON cannot carry becomes the text that the server reads: bigint as decimal, bytes as base64, Date as ISO 8601. */
export function toJson(value: unknown): string {
  // `undefined` has no JSON.
  return JSON.stringify(value ?? null, function (this: Readonly<Record<string, unknown>>, key, written: unknown) {
    // The value before its `toJSON`: a Buffer has one.
    const raw = this[key]
    if (typeof raw === 'bigint') return String(raw)
    return raw instanceof Uint8Array ? toBase64(raw) : written
  })
}

/** The text of a value in a path or a query; undefined if it has none. */
export function toText(value: unknown): string | undefined {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return toBase64(value)
  return typeof value === 'object' || value === undefined ? undefined : String(value)
}

export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
