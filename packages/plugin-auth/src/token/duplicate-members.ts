/**
 * A JSON text, a `{` or `[` and their ends, and the colon behind a name. The closing quote may be missing: a match that failed for it
 * would be tried again from each quote within, which takes the square of the length.
 */
const token = /"(?:[^"\\]|\\.)*"?|[{}[\]:]/gs

/**
 * Does an object of this JSON text, at any depth, name a member twice? `JSON.parse` takes the last of them, another parser the first:
 * what two readers understand differently must not be believed. Of a text that is no JSON it says nothing.
 */
export function hasDuplicateMembers(json: string): boolean {
  const open: Set<string>[] = []
  let text = ''
  for (const [part] of json.matchAll(token)) {
    if (part === '{' || part === '[') open.push(new Set())
    else if (part === '}' || part === ']') open.pop()
    else if (part === ':') {
      const names = open.at(-1)
      if (names === undefined) continue
      const name = toName(text)
      if (names.has(name)) return true
      names.add(name)
    } else text = part
  }
  return false
}

/** `"\u0073ub"` is `sub`. */
function toName(text: string): string {
  if (!text.includes('\\')) return text.slice(1, -1)
  try {
    return String(JSON.parse(text))
  } catch {
    return text
  }
}
