const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i
const textOrNumber = /"(?:[^"\\]|\\.)*"|-?\d[\d.e+-]*/gi

/** The number that is written in JSON, or why it cannot be sent as it is written. */
export function parseNumber(text: string): { readonly value: number } | { readonly problem: string } {
  if (!number.test(text)) return { problem: `${text} is not a number` }
  const value = Number(text)
  if (!Number.isFinite(value)) return { problem: `${text} is too large for a number` }
  // 1e20 is what it says.
  if (/e/i.test(text) || !Number.isInteger(value) || Number.isSafeInteger(value)) return { value }
  return {
    problem: `${text} would be sent as ${value}: a page keeps integers up to ${Number.MAX_SAFE_INTEGER}. Write it as text, if the app takes that`,
  }
}

/** Why a number of a JSON document would be sent as another one; null if none would. */
export function findLostNumber(json: string): string | null {
  for (const [found] of json.matchAll(textOrNumber)) {
    if (found.startsWith('"')) continue
    const parsed = parseNumber(found)
    if ('problem' in parsed) return parsed.problem
  }
  return null
}
