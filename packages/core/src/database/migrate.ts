import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { bigint, pgSchema, text } from 'drizzle-orm/pg-core'
import { BootError } from '../errors/boot-error.ts'
import type { Logger } from '../log/logger.ts'
import type { Database } from './database.ts'
import type { Maintenance } from './drivers/driver.ts'
import { findDatabaseFailure, toFailure } from './errors.ts'

/**
 * `applied`, or `pending`: the next `migrate` applies it. `skipped`: a later one has been applied before it, so that none ever will
 * (two branches were merged: generate it again). `changed`: its file is not the one that was applied.
 */
export type MigrationState = 'applied' | 'pending' | 'skipped' | 'changed'

/** One migration of a drizzle-kit folder. */
export interface MigrationEntry {
  /** `0001_books`, as its file is called. */
  readonly tag: string
  readonly state: MigrationState
}

/** drizzle's own record of what was applied: `created_at` is the time of the journal, not of the application. */
const applied = pgSchema('drizzle').table('__drizzle_migrations', {
  hash: text().notNull(),
  createdAt: bigint('created_at', { mode: 'number' }),
})

interface JournalEntry {
  readonly tag: string
  readonly when: number
}

/**
 * Applies a drizzle-kit folder; a folder that is already applied is no work. Throws BootError `migration_failed`.
 * drizzle runs all that is new in one transaction: a failure leaves nothing behind.
 */
export async function runMigrations(
  { db, migrate }: Maintenance,
  migrations: URL | string,
  place: string,
  log: Pick<Logger, 'warn'>,
): Promise<readonly MigrationEntry[]> {
  const folder = toFolder(migrations)
  try {
    const entries = await readStatus(db, folder)
    for (const { tag, state } of entries) {
      if (state === 'skipped')
        log.warn({ migration: tag }, 'A migration is skipped: a later one has been applied before')
      if (state === 'changed') log.warn({ migration: tag }, 'A migration was changed after it had been applied')
    }
    await migrate(folder)
    return entries.map((entry) => (entry.state === 'pending' ? { ...entry, state: 'applied' } : entry))
  } catch (error) {
    throw failed(`The migrations of ${folder} cannot be applied to ${place}`, error)
  }
}

/** What is applied of a drizzle-kit folder. Changes nothing. Throws BootError `migration_failed`. */
export async function readMigrations(
  db: Database,
  migrations: URL | string,
  place: string,
): Promise<readonly MigrationEntry[]> {
  const folder = toFolder(migrations)
  try {
    return await readStatus(db, folder)
  } catch (error) {
    throw failed(`The migrations of ${place} cannot be read`, error)
  }
}

async function readStatus(db: Database, folder: string): Promise<readonly MigrationEntry[]> {
  const [there] = await db
    .select({ is: sql<boolean>`to_regclass('drizzle.__drizzle_migrations') is not null` })
    .from(sql`(select 1) as one`)
  const rows = there?.is === true ? await db.select().from(applied) : []
  const hashes = new Map(rows.map(({ createdAt, hash }) => [createdAt ?? 0, hash]))
  const last = Math.max(Number.NEGATIVE_INFINITY, ...hashes.keys())
  return readJournal(folder).map(({ tag, when }) => {
    const hash = hashes.get(when)
    if (hash === undefined) return { tag, state: when <= last ? 'skipped' : 'pending' }
    const text = readFileSync(join(folder, `${tag}.sql`), 'utf8')
    return { tag, state: createHash('sha256').update(text).digest('hex') === hash ? 'applied' : 'changed' }
  })
}

function readJournal(folder: string): readonly JournalEntry[] {
  const journal: unknown = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8'))
  const entries: unknown =
    typeof journal === 'object' && journal !== null && 'entries' in journal ? journal.entries : null
  if (!Array.isArray(entries) || !entries.every(isJournalEntry)) {
    throw new BootError('migration_failed', `${join(folder, 'meta', '_journal.json')} is no journal of drizzle-kit`)
  }
  return entries
}

function isJournalEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null || !('tag' in value) || !('when' in value)) return false
  return typeof value.tag === 'string' && typeof value.when === 'number'
}

function failed(what: string, error: unknown): BootError {
  if (error instanceof BootError) return error
  const { message, code } = findDatabaseFailure(error) ?? toFailure(error)
  const reason = code === '' ? message : `${message} (${code})`
  return new BootError('migration_failed', `${what}: ${reason}`, { cause: error })
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
