import { sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { BootError, toShownMessage } from '../base/boot-error.ts'
import type { CheckResult } from '../base/finding.ts'
import type { Database } from './database.ts'
import { findDatabaseFailure } from './errors.ts'

/** A table of a package, which the app creates by a migration. */
export interface OwnTable {
  readonly table: PgTable
  readonly name: string
  /** Where `exportName` is imported from: `@twinwire/plugin-audit`. */
  readonly package: string
  readonly exportName: string
  /** Who needs it, for messages: `audit()`. */
  readonly owner: string
  /** What it does with the table beside reading. */
  readonly privileges: readonly ('insert' | 'update' | 'delete')[]
}

/** undefined_table, undefined_column, insufficient_privilege. */
const unusable = new Set(['42P01', '42703', '42501'])

/**
 * Checks that the table is there, with its columns, and that the user of the database may use it. For `onReady` of a plugin that has a table.
 *
 * @throws BootError `missing_table`
 *
 * @example
 * host.onReady(() => checkTable(host.api(databaseKey).db, {
 *   table: changesTable,
 *   name: 'changes',
 *   package: 'twinwire-plugin-changes',
 *   exportName: 'changesTable',
 *   owner: 'changes()',
 *   privileges: ['insert'],
 * }))
 */
export async function checkTable(db: Database, own: OwnTable): Promise<void> {
  const { table, name, owner, privileges, exportName, package: from } = own
  try {
    await db.select().from(table).limit(0)
  } catch (error) {
    const failure = findDatabaseFailure(error)
    if (failure === null || !unusable.has(failure.code)) throw error
    throw new BootError(
      'missing_table',
      `${owner} needs its table: ${failure.message}. Add export { ${exportName} } from '${from}' to the schema that drizzle-kit reads, run drizzle-kit generate, and apply the migration`,
      { cause: error },
    )
  }
  const asked = sql`unnest(string_to_array(${sql.param(privileges.join())}, ',')) as privilege`
  const lacking = await db
    .select({ privilege: sql<string>`privilege` })
    .from(asked)
    .where(sql`not has_table_privilege(${sql.param(name)}, privilege)`)
  if (lacking.length === 0) return
  const missing = lacking.map(({ privilege }) => privilege).join(', ')
  throw new BootError(
    'missing_table',
    `${owner} writes its table, and this user may not: grant ${missing} on ${name} to it`,
  )
}

/** For the doctor of an app that has started: what became of the table since. */
export async function examineTable(db: Database, own: OwnTable): Promise<CheckResult> {
  try {
    await checkTable(db, own)
  } catch (error) {
    if (error instanceof BootError) return { level: 'error', message: toShownMessage(error) }
    throw error
  }
  return { level: 'ok', message: `The table ${own.name} is there and may be written` }
}
