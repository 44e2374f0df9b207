import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BootError } from '../errors/boot-error.ts'
import type { DatabaseDriver } from './drivers/driver.ts'
import { findDatabaseFailure, toFailure } from './errors.ts'

/**
 * Applies a drizzle-kit folder; a folder that is already applied is no work. Throws BootError `migration_failed`.
 * drizzle runs all that is new in one transaction: a failure leaves nothing behind.
 */
export async function runMigrations(driver: DatabaseDriver, migrations: URL | string): Promise<void> {
  const folder = toFolder(migrations)
  try {
    await driver.migrate(folder)
  } catch (error) {
    const { message, code } = findDatabaseFailure(error) ?? toFailure(error)
    const reason = code === '' ? message : `${message} (${code})`
    throw new BootError(
      'migration_failed',
      `The migrations of ${folder} cannot be applied to ${driver.place}: ${reason}`,
      {
        cause: error,
      },
    )
  }
}

function toFolder(migrations: URL | string): string {
  const isFile = migrations instanceof URL || migrations.startsWith('file:')
  const folder = isFile ? fileURLToPath(migrations) : resolve(migrations)
  if (existsSync(join(folder, 'meta', '_journal.json'))) return folder
  throw new BootError(
    'migration_failed',
    `There are no migrations in ${folder}: drizzle-kit generate makes them (meta/_journal.json is missing)`,
  )
}
