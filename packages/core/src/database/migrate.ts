import { gte, sql } from 'drizzle-orm'
import { bigint, pgSchema, text } from 'drizzle-orm/pg-core'
import { BootError } from '../base/boot-error.ts'
import type { Logger } from '../base/logger.ts'
import type { Database } from './database.ts'
import type { Maintenance } from './drivers/open-database.ts'
import { findDatabaseFailure, toFailure } from './errors.ts'
import { type MigrationFile, readMigrationFiles, toExcerpt, toMigrationFolder } from './migration-files.ts'

/**
 * `applied`, or `pending`: the next `migrate` applies it. `skipped`: a later migration was applied before it, so that it never will be
 * (two branches were merged: generate it again). `changed`: its file differs from the one that was applied.
 */
export type MigrationState = 'applied' | 'pending' | 'skipped' | 'changed'

/** One migration of a drizzle-kit folder. */
export interface MigrationEntry {
  /** The name of its file: `0001_books`. */
  readonly tag: string
  readonly state: MigrationState
  /** Why `migrate` will refuse it, and with it all pending migrations. Only for a pending one; absent when no problem is known. */
  readonly problem?: string
}

/** drizzle's table of applied migrations: `created_at` is the time in the journal, not the time of the application. */
const applied = pgSchema('drizzle').table('__drizzle_migrations', {
  hash: text().notNull(),
  createdAt: bigint('created_at', { mode: 'number' }),
})

/**
 * Applies the pending migrations of a drizzle-kit folder. Each file runs in a separate transaction, together with its entry in drizzle's table.
 * Throws BootError `failed_migration`, which names the file and those that were applied before it.
 */
export async function runMigrations(
  maintenance: Maintenance,
  migrations: URL | string,
  location: string,
  log: Pick<Logger, 'info' | 'warn'>,
): Promise<readonly MigrationEntry[]> {
  const folder = toMigrationFolder(migrations)
  const { db } = maintenance
  const done: string[] = []
  try {
    const files = await readStatus(db, folder)
    for (const { tag, state } of files) {
      if (state === 'skipped')
        log.warn({ migration: tag }, 'A migration is skipped: a later migration was applied before it')
      if (state === 'changed') log.warn({ migration: tag }, 'A migration was changed after it was applied')
    }
    const groups = toGroups(files.filter(({ state }) => state === 'pending'))
    if (groups.length > 0) await createRecord(db)
    for (const group of groups) {
      await applyGroup(maintenance, group)
      done.push(...group.map(({ tag }) => tag))
    }
    if (done.length > 0) log.info({ migrations: done }, 'Migrations were applied')
    return files.map(({ tag, state }) => ({ tag, state: state === 'pending' ? 'applied' : state }))
  } catch (error) {
    const what = error instanceof MigrationFailure ? `The migration ${error.tag}` : `The migrations of ${folder}`
    const before = done.length === 0 ? '' : `. Applied before it: ${done.join(', ')}`
    throw failed(`${what} cannot be applied to ${location}`, error, before)
  }
}

/** The states of the migrations of a drizzle-kit folder. Changes nothing. Throws BootError `failed_migration`. */
export async function readMigrations(
  db: Database,
  migrations: URL | string,
  location: string,
): Promise<readonly MigrationEntry[]> {
  const folder = toMigrationFolder(migrations)
  try {
    return (await readStatus(db, folder)).map(({ tag, state, problem }) =>
      state === 'pending' && problem !== null ? { tag, state, problem } : { tag, state },
    )
  } catch (error) {
    throw failed(`The migrations of ${location} cannot be read`, error)
  }
}

interface StatedFile extends MigrationFile {
  readonly state: MigrationState
}

async function readStatus(db: Database, folder: string): Promise<StatedFile[]> {
  const rows = (await hasRecord(db)) ? await db.select().from(applied) : []
  const hashes = new Map(rows.map(({ createdAt, hash }) => [createdAt ?? 0, hash]))
  const last = Math.max(Number.NEGATIVE_INFINITY, ...hashes.keys())
  return readMigrationFiles(folder).map((file) => {
    const hash = hashes.get(file.when)
    if (hash === undefined) return { ...file, state: file.when <= last ? 'skipped' : 'pending' }
    return { ...file, state: hash === file.hash ? 'applied' : 'changed' }
  })
}

async function hasRecord(db: Database): Promise<boolean> {
  const [there] = await db
    .select({ is: sql<boolean>`to_regclass('drizzle.__drizzle_migrations') is not null` })
    .from(sql`(select 1) as one`)
  return there?.is === true
}

/** As drizzle's migrator creates it, so that either can continue where the other has stopped. */
async function createRecord(db: Database): Promise<void> {
  if (await hasRecord(db)) return
  await db.execute(sql`create schema if not exists "drizzle"`)
  await db.execute(
    sql`create table if not exists ${applied} (id serial primary key, hash text not null, created_at bigint)`,
  )
}

/**
 * Groups files by transaction: usually one each. Where the times of the journal are not ascending, a file that is out of order shares the
 * transaction of the one before it: applied alone, that one would make it look skipped. Throws for a file that cannot be applied, before any is.
 */
function toGroups(files: readonly MigrationFile[]): MigrationFile[][] {
  const groups: MigrationFile[][] = []
  let last = Number.NEGATIVE_INFINITY
  for (const file of files) {
    if (file.problem !== null) throw new MigrationFailure(file.tag, file.problem)
    if (file.when > last) groups.push([file])
    else groups.at(-1)?.push(file)
    last = Math.max(last, file.when)
  }
  for (const group of groups) {
    const alone = group.find(({ inTransaction }) => !inTransaction)
    if (alone === undefined || group.length === 1) continue
    const reason =
      'it has `-- no transaction`, and the timestamps of the journal are not in the order of its files: generate it again'
    throw new MigrationFailure(alone.tag, reason)
  }
  return groups
}

async function applyGroup(maintenance: Maintenance, group: readonly MigrationFile[]): Promise<void> {
  const [first] = group
  if (first === undefined) return
  if (!first.inTransaction) return applyUnwrapped(maintenance, first)
  const at: Progress = { tag: first.tag, statement: null }
  try {
    await maintenance.db.transaction(
      async (tx) => {
        // If the lock is lost with its connection, a second process waits here, and then finds what the first has applied.
        await tx.execute(sql`lock table ${applied} in share row exclusive mode`)
        const [done] = await tx.select().from(applied).where(gte(applied.createdAt, first.when)).limit(1)
        if (done !== undefined)
          throw new MigrationFailure(first.tag, 'another process has applied it in the meantime: start again')
        for (const file of group) {
          at.tag = file.tag
          await execute(tx, file.statements, at)
          await record(tx, file)
        }
      },
      { isolationLevel: 'read committed', accessMode: 'read write' },
    )
  } catch (error) {
    if (error instanceof MigrationFailure) throw error
    throw new MigrationFailure(
      at.tag,
      `${toReason(error, at)}. Nothing of it was applied: the next start begins with it`,
      error,
    )
  }
}

/** Without a transaction: statements that have run stay applied. */
async function applyUnwrapped({ db, holdsLock }: Maintenance, file: MigrationFile): Promise<void> {
  const { tag, statements } = file
  if (!holdsLock()) throw new MigrationFailure(tag, 'the connection that holds the lock was lost: start again')
  const at: Progress = { tag, statement: null }
  try {
    await execute(db, statements, at)
    await record(db, file)
  } catch (error) {
    const again =
      'It has `-- no transaction`: its statements so far stay applied, and the next start runs it again from its first statement. Make its ' +
      'statements repeatable; drop an index first that CREATE INDEX CONCURRENTLY has left invalid'
    throw new MigrationFailure(tag, `${toReason(error, at)}. ${again}`, error)
  }
}

/** The statement that runs. */
interface Progress {
  tag: string
  statement: string | null
}

async function execute(db: Database, statements: readonly string[], at: Progress): Promise<void> {
  for (const statement of statements) {
    at.statement = statement
    await db.execute(sql.raw(statement))
  }
  at.statement = null
}

async function record(db: Database, { hash, when }: MigrationFile): Promise<void> {
  await db.insert(applied).values({ hash, createdAt: when })
}

/** The failure of one file. */
class MigrationFailure extends Error {
  readonly tag: string

  constructor(tag: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.tag = tag
  }
}

const hints: Readonly<Record<string, string>> = {
  // unsafe_new_enum_value_usage
  '55P04': '; a value that is added to an enum can only be used in the next file',
  // active_sql_transaction
  '25001': '; put the line `-- no transaction` at the top of its file',
}

function toReason(error: unknown, { statement }: Progress = { tag: '', statement: null }): string {
  const { message, code } = findDatabaseFailure(error) ?? toFailure(error)
  const reason = code === '' ? message : `${message} (${code})`
  return `${reason}${hints[code] ?? ''}${statement === null ? '' : `, in \`${toExcerpt(statement)}\``}`
}

function failed(what: string, error: unknown, after = ''): BootError {
  if (error instanceof BootError) return error
  const reason = error instanceof MigrationFailure ? error.message : toReason(error)
  return new BootError('failed_migration', `${what}: ${reason}${after}`, { cause: error })
}
