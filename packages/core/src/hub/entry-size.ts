/** JSON of a character takes at most so many bytes: `\u0000`. */
const maxPerCharacter = 6
/** And of all that is not a string: a number. */
const maxPerOther = 25

/** Is the JSON of `data` larger? It is written only if that cannot be told without. */
export function isLargerThan(data: unknown, maxBytes: number): boolean {
  const { characters, other } = count(data, maxBytes)
  if (characters + other > maxBytes) return true
  if (characters * maxPerCharacter + other * maxPerOther <= maxBytes) return false
  return Buffer.byteLength(JSON.stringify(data) ?? '') > maxBytes
}

interface Count {
  /** Of strings, with quotes. */
  characters: number
  /** Bytes of all else, at least. */
  other: number
}

/** What JSON takes at least; stops at more than `enough`. */
function count(data: unknown, enough: number, into: Count = { characters: 0, other: 0 }): Count {
  if (into.characters + into.other > enough || data === undefined) return into
  if (typeof data === 'string') {
    into.characters += data.length + 2
    return into
  }
  into.other++
  if (typeof data !== 'object' || data === null) return into
  if (Array.isArray(data))
    for (const item of data) {
      into.other++
      count(item, enough, into)
    }
  else
    for (const [key, item] of Object.entries(data)) {
      if (item === undefined) continue
      into.characters += key.length + 2
      into.other++
      count(item, enough, into)
    }
  return into
}
