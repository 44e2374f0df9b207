/** `2024-05-06 10:20:30.123456+02`, `0044-03-15 BC`; with a `T` in JSON. */
const iso =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:Z|([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?)?( BC)?$/

/**
 * A date or a time as PostgreSQL writes it with `DateStyle` ISO; without a zone it is in UTC. Null for all else: `infinity`, an ambiguous style,
 * a time outside the range of a Date. Fractions of a millisecond are cut off.
 */
export function fromTimeText(text: string): Date | null {
  const found = iso.exec(text)
  if (found === null) return null
  const [, years, month, day, hours = '0', minutes = '0', seconds = '0', fraction = '', sign, ...more] = found
  const [zoneHours = '0', zoneMinutes = '0', zoneSeconds = '0', era] = more
  // The year before year 1 is 0 in JavaScript and 1 BC in PostgreSQL.
  const year = era === undefined ? Number(years) : 1 - Number(years)
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3))
  const date = new Date(0)
  // Date.UTC would read years below 100 as 19xx.
  date.setUTCFullYear(year, Number(month) - 1, Number(day))
  date.setUTCHours(Number(hours), Number(minutes), Number(seconds), milliseconds)
  if (sign !== undefined) {
    const zone = Number(zoneHours) * 3600 + Number(zoneMinutes) * 60 + Number(zoneSeconds)
    date.setTime(date.getTime() - (sign === '-' ? -zone : zone) * 1000)
  }
  return Number.isNaN(date.getTime()) ? null : date
}

/** 4713-01-01 BC of the Julian calendar, the earliest time of PostgreSQL. */
const earliest = Date.UTC(-4713, 10, 24)

/** Can PostgreSQL store it? Its latest time is after the latest Date. */
export function isStorable(date: Date): boolean {
  return date.getTime() >= earliest
}

/** As PostgreSQL reads it, in UTC: also after the year 9999 and before the year 1, where ISO 8601 has another format. */
export function toTimeText(date: Date): string {
  return fromIsoText(date.toISOString())
}

/** Converts the result of `toISOString`, which drizzle sends; all other strings stay as they are. */
export function fromIsoText(text: string): string {
  const found = /^(?:([+-]\d{6})|0000)(-\d\d-\d\dT[\d:.]+Z)$/.exec(text)
  if (found === null) return text
  const [, digits, rest] = found
  const year = Number(digits ?? 0)
  return year > 0 ? `${year}${rest}` : `${String(1 - year).padStart(4, '0')}${rest} BC`
}
