import { sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { BootError } from '../base/boot-error.ts'
import type { Database } from './database.ts'
import { findDatabaseFailure } from './errors.ts'

/** A table of Twinwire itself, which the app creates by a migration. */
export interface OwnTable {
  readonly table: PgTable
  readonly name: string
  /** Of `@twinwire/core/database`. */
  readonly exportName: string
  /** Who needs it, for messages: `once()`. */
  readonly owner: string
  /** What it does with the table beside reading. */
  readonly privileges: readonly ('insert' | 'update' | 'delete')[]
}

/** undefined_table, undefined_column, insufficient_privilege. */
const unusable = new Set(['42P01', '42703', '42501'])

/** @throws BootError `missing_table` */
export async function checkOwnTable(db: Database, own: OwnTable): Promise<void> {
  const { table, name, owner, privileges, exportName } = own
  try {
    await db.select().from(table).limit(0)
  } catch (error) {
    const failure = findDatabaseFailure(error)
    if (failure === null || !unusable.has(failure.code)) throw error
    throw new BootError(
      'missing_table',
      `${owner} needs its table: ${failure.message}. Add export { ${exportName} } from '@twinwire/core/database' to the schema that drizzle-kit reads, run drizzle-kit generate, and apply the migration`,
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
