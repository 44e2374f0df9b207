/** As a database compares: a moment is a moment, whichever object tells it. */
export function isSame(one: unknown, other: unknown): boolean {
  return one instanceof Date && other instanceof Date ? one.getTime() === other.getTime() : one === other
}

/** The conditions of a repository's filters, all of which have to hold: null finds rows without a value, undefined asks nothing. */
export function matches(row: object, filters: object): boolean {
  return Object.entries(filters).every(([name, value]: [string, unknown]) => {
    if (value === undefined) return true
    if (Array.isArray(value) && name === 'and') return value.every((each) => matches(row, each))
    if (Array.isArray(value) && name === 'or') return value.some((each) => matches(row, each))
    return fits(Reflect.get(row, name) ?? null, value)
  })
}

function fits(own: unknown, condition: unknown): boolean {
  if (!isOperators(condition)) return isSame(own, condition)
  return Object.entries(condition).every(([name, value]) => value === undefined || operator(name)(own, value))
}

/** An object with nothing but operators; any other is a value, as of a column of JSON. */
function isOperators(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false
  return Object.keys(value).every((name) => Object.hasOwn(operators, name))
}

const operators: Readonly<Record<string, (own: unknown, value: unknown) => boolean>> = {
  eq: isSame,
  ne: (own, value) => !isSame(own, value),
  in: (own, value) => Array.isArray(value) && value.some((each) => isSame(own, each)),
  isNull: (own, value) => (own === null) === value,
  gt: (own, value) => own !== null && compare(own, value) > 0,
  gte: (own, value) => own !== null && compare(own, value) >= 0,
  lt: (own, value) => own !== null && compare(own, value) < 0,
  lte: (own, value) => own !== null && compare(own, value) <= 0,
  prefix: (own, value) => typeof own === 'string' && own.toLowerCase().startsWith(String(value).toLowerCase()),
  contains: (own, value) => typeof own === 'string' && own.toLowerCase().includes(String(value).toLowerCase()),
}

const operator = (name: string): ((own: unknown, value: unknown) => boolean) => operators[name] ?? (() => false)

/** False when filters are named and none has a value. */
export function hasFilter(filters: object): boolean {
  const values: unknown[] = Object.values(filters)
  return values.length === 0 || values.some((value) => value !== undefined)
}

/** By the columns in their order, and by the key at last: down when all before it go down. */
export function compareBy(orderBy: object, key: string): (one: object, other: object) => number {
  const given = Object.entries(orderBy).filter(([, direction]) => direction !== undefined)
  const isDown = given.length > 0 && given.every(([, direction]) => String(direction).startsWith('desc'))
  const terms: [string, unknown][] = [...given, [key, isDown ? 'desc' : 'asc']]
  return (one, other) => {
    for (const [name, direction] of terms) {
      const [a, b]: [unknown, unknown] = [Reflect.get(one, name) ?? null, Reflect.get(other, name) ?? null]
      const [way = '', , nulls] = String(direction).split(' ')
      const order =
        a === null || b === null ? placeOf(a, way, nulls) - placeOf(b, way, nulls) : compare(a, b) * signOf(way)
      if (order !== 0) return order
    }
    return 0
  }
}

const signOf = (way: string): number => (way === 'desc' ? -1 : 1)

/** Where what has no value stands beside what has one. */
function placeOf(value: unknown, way: string, nulls: string | undefined): number {
  if (value !== null) return 0
  return (nulls ?? (way === 'desc' ? 'first' : 'last')) === 'first' ? -1 : 1
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
