import { type ConvertCustomConfig, customType, type PgCustomColumnBuilder } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'

interface UnixTimestamp {
  data: Date
  driverData: string | number | bigint
}

const ofType = customType<UnixTimestamp>({
  dataType: () => 'bigint',
  toDriver(date) {
    if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
      throw new ValidationError('Invalid time', [{ path: '', message: 'Must be a date' }])
    }
    return String(Math.floor(date.getTime() / 1000))
  },
  fromDriver: (seconds) => new Date(Number(seconds) * 1000),
})

/**
 * A Unix timestamp as a `Date`: seconds since 1970 in UTC, stored as `bigint`. Fractions of a second are rounded down when the value is
 * written or compared. Sorts, filters and pages like any other column.
 *
 * A value that is not a valid `Date` is a ValidationError.
 *
 * @param name - Of the column in the database. Default: the key in the table.
 *
 * @example
 * const sessions = pgTable('sessions', {
 *   id: serial().primaryKey(),
 *   createdAt: unixTimestamp('created_at').notNull().$defaultFn(() => new Date()),
 * })
 */
export function unixTimestamp(name = ''): PgCustomColumnBuilder<ConvertCustomConfig<string, UnixTimestamp>> {
  return ofType(name)
}
