export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields of an object; none for everything else. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

/** The items of an array; none for everything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A string; empty for everything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function stringsOf(value: unknown): readonly string[] {
  return listOf(value).filter((each) => typeof each === 'string')
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

/** For people: indented, and `undefined` for what JSON does not have. */
export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? 'undefined'
}
