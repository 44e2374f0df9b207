/**
 * The source of a regular expression as JSON Schema has it, without flags and for validators that add `u`. Null where it cannot be: then
 * a note says so.
 *
 * @example
 * toPattern(/^[a-f]+$/i) // '^[a-fA-F]+$'
 */
export function toPattern(expression: RegExp): string | null {
  const { source, flags } = expression
  if (/[gmsvy]/.test(flags)) return null
  const pattern = flags.includes('i') ? withBothCases(source) : source
  return pattern !== null && compiles(pattern) ? pattern : null
}

/** A pattern for text that is taken literally. */
export function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

function compiles(pattern: string): boolean {
  try {
    // It is not run: only a validator of JSON Schema would.
    new RegExp(pattern, 'u')
    return true
  } catch {
    return false
  }
}

/** Parts that have no letter of the text: escapes, and what opens a group. */
const opaque =
  /^(?:\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\k<[^>]*>|\\.|\(\?<?[=!]|\(\?:|\(\?<[^>]*>)/u

/** ASCII letters match in both cases. Null for a range between cases, or beyond ASCII, where cases have rules of their own. */
function withBothCases(source: string): string | null {
  if (/[^\x20-\x7e]/.test(source) || /\\[pPuxc]/.test(source)) return null
  let pattern = ''
  let isInClass = false
  for (let rest = source; rest !== ''; ) {
    const range = isInClass ? /^([a-z]-[a-z]|[A-Z]-[A-Z])/.exec(rest)?.[0] : undefined
    const piece = opaque.exec(rest)?.[0] ?? range ?? rest.charAt(0)
    rest = rest.slice(piece.length)
    if (isInClass && /^[a-zA-Z]$/.test(piece) && rest.startsWith('-') && !rest.startsWith('-]')) return null
    if (piece === '[') isInClass = true
    else if (piece === ']') isInClass = false
    pattern += range === piece ? range.toLowerCase() + range.toUpperCase() : ofBothCases(piece, isInClass)
  }
  return pattern
}

function ofBothCases(piece: string, isInClass: boolean): string {
  if (!/^[a-zA-Z]$/.test(piece)) return piece
  const both = piece.toLowerCase() + piece.toUpperCase()
  return isInClass ? both : `[${both}]`
}
