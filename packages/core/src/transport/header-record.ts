/**
 * Headers that have one value by their definition: of several the first counts, as in Node. That lets one of them be
 * read with a single native call; any other may stand several times and is joined.
 */
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
  'traceparent',
  'transfer-encoding',
  'user-agent',
  'x-request-id',
])

export function isSingleHeader(lowerCaseName: string): boolean {
  return single.has(lowerCaseName)
}

/** Without a prototype: a client may send a header named `constructor`. */
export function createHeaderRecord(): Record<string, string> {
  // Object.create returns `any`; an object without a prototype is such a record.
  return Object.create(null) as Record<string, string>
}

export function addHeader(record: Record<string, string>, lowerCaseName: string, value: string): void {
  const before = record[lowerCaseName]
  if (before === undefined) record[lowerCaseName] = value
  else if (!single.has(lowerCaseName)) record[lowerCaseName] = `${before}${separator(lowerCaseName)}${value}`
}

/** All headers from the flat list of names and values. */
export function toHeaderRecord(pairs: readonly string[]): Record<string, string> {
  const record = createHeaderRecord()
  // In bounds.
  for (let i = 0; i < pairs.length; i += 2) addHeader(record, pairs[i] as string, pairs[i + 1] as string)
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
