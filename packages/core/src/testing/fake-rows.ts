/** As a database compares: a moment is a moment, whichever object tells it. */
export function isSame(one: unknown, other: unknown): boolean {
  return one instanceof Date && other instanceof Date ? one.getTime() === other.getTime() : one === other
}

/** Equality by column: null finds rows without a value, undefined asks nothing. */
export function matches(row: object, filters: object): boolean {
  return Object.entries(filters).every(([name, value]: [string, unknown]) => {
    return value === undefined || isSame(Reflect.get(row, name) ?? null, value)
  })
}

/** False when filters are named and none has a value. */
export function hasFilter(filters: object): boolean {
  const values: unknown[] = Object.values(filters)
  return values.length === 0 || values.some((value) => value !== undefined)
}

/** By the columns in their order, and by the key at last. */
export function compareBy(orderBy: object, key: string): (one: object, other: object) => number {
  const terms: [string, unknown][] = [...Object.entries(orderBy), [key, 'asc']]
  return (one, other) => {
    for (const [name, direction] of terms) {
      if (direction === undefined) continue
      const order = compare(Reflect.get(one, name), Reflect.get(other, name))
      if (order !== 0) return direction === 'desc' ? -order : order
    }
    return 0
  }
}

/** Nothing is more than anything, as in PostgreSQL. */
function compare(one: unknown, other: unknown): number {
  const [a, b] = [toComparable(one), toComparable(other)]
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return a < b ? -1 : Number(a > b)
}

function toComparable(value: unknown): string | number | bigint | null {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? value : null
}
