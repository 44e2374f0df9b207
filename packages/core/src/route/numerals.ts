/** A number as JSON writes it: no sign `+`, no leading zero, no hex, no `Infinity`, no space. */
const decimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const integer = /^-?(?:0|[1-9]\d*)$/
/** ISO 8601 as `Date` defines it, but a time must have an offset: without one it would be in the zone of the server. */
const isoDate =
  /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(?:T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/

/** Decimal digits. Parsing time grows faster than the length. */
const maxBigintLength = 1024

/**
 * The number that a string represents, or undefined when it is not a number or one that JavaScript cannot represent (`1e999`,
 * `9007199254740993`): the result always equals the number written.
 *
 * @example
 * toNumber('1e3') // 1000
 * toNumber('0x10') // undefined
 */
export function toNumber(text: string): number | undefined {
  if (!decimal.test(text)) return undefined
  const value = Number(text)
  if (!Number.isFinite(value)) return undefined
  // A number below the smallest one would become 0, which was not written.
  if (value === 0 && /^[^eE]*[1-9]/.test(text)) return undefined
  if (Number.isSafeInteger(value) || !integer.test(text)) return value
  return String(value) === text ? value : undefined
}

/**
 * The integer that a string represents, from -(2^53 - 1) to 2^53 - 1.
 *
 * @example
 * toInteger('7') // 7
 * toInteger('7.0') // undefined
 */
export function toInteger(text: string): number | undefined {
  if (!integer.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

/**
 * @example
 * toBigint('9007199254740993') // 9007199254740993n
 */
export function toBigint(text: string): bigint | undefined {
  return text.length <= maxBigintLength && integer.test(text) ? BigInt(text) : undefined
}

/**
 * @example
 * toBoolean('true') // true
 * toBoolean('0') // false
 * toBoolean('yes') // undefined
 */
export function toBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : undefined
}

/**
 * A day (`2024-02-29`: midnight UTC) or a point in time with an offset. Undefined for a day that does not exist.
 *
 * @example
 * toDate('2024-02-29T12:00:00+01:00') // 11:00 UTC
 * toDate('2023-02-29') // undefined
 */
export function toDate(text: string): Date | undefined {
  const parts = isoDate.exec(text)
  if (parts === null) return undefined
  const [, year, month, day] = parts
  // `Date` turns the 30th of February into a day of March.
  const midnight = new Date(`${year}-${month}-${day}T00:00:00Z`)
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined
  const value = new Date(text)
  return Number.isNaN(value.getTime()) ? undefined : value
}
