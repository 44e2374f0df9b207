const maxLength = 2000

/** Strings (also an unterminated one), dollar quotes, comments, and numbers that are not part of a name or of `$1`. */
const values =
  /\b[eE]'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$([A-Za-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(?<![\w$".])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!["\w])|"(?:[^"]|"")*"/g

/** The text of a statement without possible data. Values of parameters (`$1`) are not in the text. */
export function redactStatement(text: string): string {
  // Quoted names are matched so that nothing inside them is.
  const plain = text.slice(0, 2 * maxLength).replace(values, (match) => (match.startsWith('"') ? match : '?'))
  return plain.length > maxLength || text.length > 2 * maxLength ? `${plain.slice(0, maxLength)}…` : plain
}
