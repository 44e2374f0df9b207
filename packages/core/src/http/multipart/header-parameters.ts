/** A header such as `form-data; name="a"`: its value in lower case, and its parameters by lower-case name. */
export interface HeaderValue {
  readonly value: string
  /** Not decoded. */
  readonly parameters: ReadonlyMap<string, string>
}

const token = /[^\s;="]+/y
const plainValue = /[^;"]*/y

/**
 * Parses a header with parameters (RFC 9110, 5.6.6; RFC 7578, 4.2). In quotes a backslash is itself, as browsers write it
 * (https://html.spec.whatwg.org/#multipart-form-data), except before a quote that cannot be the last one, as older clients write it.
 *
 * @returns null for text that has no such form, and for a parameter that is given twice.
 *
 * @example
 * parseHeaderValue('form-data; name="photos"; filename=cat.png')
 * // { value: 'form-data', parameters: Map { 'name' => 'photos', 'filename' => 'cat.png' } }
 */
export function parseHeaderValue(text: string): HeaderValue | null {
  const semicolon = text.indexOf(';')
  const value = (semicolon === -1 ? text : text.slice(0, semicolon)).trim().toLowerCase()
  const parameters = new Map<string, string>()
  for (let at = semicolon; at !== -1 && at < text.length; ) {
    at = skipBlanks(text, at + 1)
    // `form-data; name="a";`
    if (at === text.length) break
    const name = matchAt(token, text, at)?.toLowerCase()
    if (name === undefined) return null
    at = skipBlanks(text, at + name.length)
    if (text[at] !== '=') return null
    at = skipBlanks(text, at + 1)
    const end = text[at] === '"' ? findQuote(text, at + 1) : at + (matchAt(plainValue, text, at)?.length ?? 0)
    if (end === -1 || parameters.has(name)) return null
    const isQuoted = text[at] === '"'
    parameters.set(name, isQuoted ? text.slice(at + 1, end).replaceAll('\\"', '"') : text.slice(at, end).trim())
    at = skipBlanks(text, isQuoted ? end + 1 : end)
    if (at < text.length && text[at] !== ';') return null
  }
  return { value, parameters }
}

/** The quote that ends a quoted text; -1: none. */
function findQuote(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end !== -1; end = text.indexOf('"', end + 1)) {
    if (text[end - 1] !== '\\' || end === from) return end
    const next = skipBlanks(text, end + 1)
    if (next === text.length || text[next] === ';') return end
  }
  return -1
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}
