import { sql } from 'drizzle-orm'
import { BootError } from '../../base/boot-error.ts'
import type { Database } from '../database.ts'

/**
 * Settings that the text of values depends on, and that may be changed for a server, a database or a role: `alter database … set datestyle`.
 * drizzle treats dates and times without a zone as UTC; without `array_nulls` a null in an array would be stored as the text NULL.
 */
const settings = {
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
} as const

type Name = keyof typeof settings
const names: readonly Name[] = [
  'DateStyle',
  'TimeZone',
  'IntervalStyle',
  'bytea_output',
  'extra_float_digits',
  'array_nulls',
]

/** For the start of a session. A PgBouncer refuses settings that it does not track for each client: all but two of these. */
export function startParameters(pgBouncer: boolean): Record<string, string> {
  const { DateStyle, TimeZone } = settings
  return pgBouncer ? { DateStyle, TimeZone } : { ...settings }
}

/** Commands that set them for the session, or for the transaction (`local`). */
export function toSetCommands(scope: 'session' | 'local'): string {
  return names.map((name) => `set ${scope} ${name} = '${settings[name]}'`).join('; ')
}

/** Checks the settings of a new session. Throws a BootError that names the commands to run. */
export async function checkSettings(db: Database): Promise<void> {
  const current = names.map((name) => sql`current_setting(${name})`)
  const [row] = await db
    .select({
      values: sql<string[]>`array[${sql.join(current, sql`, `)}]`,
      role: sql<string>`quote_ident(current_user)`,
      database: sql<string>`quote_ident(current_database())`,
    })
    .from(sql`(select 1) as one`)
  if (row === undefined) return
  const wrong = names.filter((name, index) => !isRight(name, row.values[index] ?? ''))
  if (wrong.length === 0) return
  const commands = wrong.map(
    (name) => `ALTER ROLE ${row.role} IN DATABASE ${row.database} SET ${name} TO '${settings[name]}';`,
  )
  throw new BootError(
    'bad_option',
    `Sessions of the database have an unsupported ${wrong.join(', ')}. Remove it from the url of database(); ` +
      `behind a PgBouncer run ${commands.join(' ')} and then RECONNECT in its console`,
  )
}

function isRight(name: Name, value: string): boolean {
  // PostgreSQL treats all numbers from 1 alike.
  if (name === 'extra_float_digits') return Number(value) >= 1
  return value.toLowerCase() === settings[name].toLowerCase()
}
