/** Headers that have one value by their definition: of several the first counts, as in Node. Any other is joined. */
const single: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'max-forwards',
  'origin',
  'proxy-authorization',
  'referer',
  'sec-websocket-key',
  'transfer-encoding',
  'user-agent',
  'x-request-id',
])

/** All headers from the flat list of names and values. Without a prototype: a client may send a header named `constructor`. */
export function toHeaderRecord(pairs: readonly string[]): Record<string, string> {
  // Object.create returns `any`; an object without a prototype is such a record.
  const record = Object.create(null) as Record<string, string>
  for (let i = 0; i < pairs.length; i += 2) {
    // In bounds.
    const name = pairs[i] as string
    const value = pairs[i + 1] as string
    const before = record[name]
    if (before === undefined) record[name] = value
    else if (!single.has(name)) record[name] = `${before}${separator(name)}${value}`
  }
  return record
}

/** One header from the flat list of names and values; '' when it is not there. */
export function findHeader(pairs: readonly string[], name: string): string {
  let found: string | undefined
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i] !== name) continue
    // In bounds.
    const value = pairs[i + 1] as string
    if (single.has(name)) return value
    found = found === undefined ? value : `${found}${separator(name)}${value}`
  }
  return found ?? ''
}

const separator = (name: string): string => (name === 'cookie' ? '; ' : ', ')
