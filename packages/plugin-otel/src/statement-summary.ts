const name = String.raw`(?:"(?:[^"]|"")*"|[A-Za-z_][\w$]*)`
const target = new RegExp(String.raw`\b(?:from|into|update|table)\s+(${name}(?:\.${name})?)`, 'i')

/**
 * A name of few values for a statement without its literals: what it does, and the first table.
 *
 * @example
 * summarize('select "id" from "authors" where "id" = $1') // 'SELECT authors'
 */
export function summarize(text: string): string {
  const operation = /^[\s(?]*([A-Za-z]+)/.exec(text)?.[1]?.toUpperCase() ?? 'SQL'
  const table = target.exec(text)?.[1]?.replaceAll('"', '').slice(0, 64)
  return table === undefined ? operation : `${operation} ${table}`
}
