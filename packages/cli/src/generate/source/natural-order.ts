/** The order of imports and of their names, as biome writes them: packages, then relative paths, the farthest first. */
export function compareSources(one: string, other: string): number {
  return toDistance(one) - toDistance(other) || compareNaturally(one, other)
}

function toDistance(source: string): number {
  if (source.startsWith('node:')) return 0
  if (!source.startsWith('.')) return 1
  const up = source.split('/').filter((part) => part === '..').length
  return 1000 - up
}

/** Numbers by their value, letters without their case first. */
export function compareNaturally(one: string, other: string): number {
  const [a, b] = [toParts(one), toParts(other)]
  for (const [index, part] of a.entries()) {
    const against = b[index]
    if (against === undefined) return 1
    const order = comparePart(part, against)
    if (order !== 0) return order
  }
  return a.length - b.length || (one < other ? -1 : Number(one > other))
}

const toParts = (text: string): readonly string[] => text.match(/\d+|\D/g) ?? []

function comparePart(one: string, other: string): number {
  const [a, b] = [toRank(one), toRank(other)]
  return a[0] - b[0] || a[1] - b[1]
}

const marks = ['/', '.', '-', '_']

function toRank(part: string): readonly [number, number] {
  if (/\d/.test(part)) return [1, Number(part)]
  const mark = marks.indexOf(part)
  return mark === -1 ? [2, part.toLowerCase().codePointAt(0) ?? 0] : [0, mark]
}
