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
      throw new ValidationError('Not a time', [{ path: '', message: 'Must be a date' }])
    }
    return String(Math.floor(date.getTime() / 1000))
  },
  // A text of postgres.js; PGlite gives numbers.
  fromDriver: (seconds) => new Date(Number(seconds) * 1000),
})

/**
 * A column of whole seconds since 1970 in UTC, kept as `bigint` and seen as a `Date`: what other systems call a Unix timestamp. A
 * fraction of a second is cut off (to the past) when it is written or compared with. Sorts, filters and pages like any other column.
 * `name`: as in the database; left out, the key in the table.
 *
 * A value that is no valid `Date` is a ValidationError.
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
