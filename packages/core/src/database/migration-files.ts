import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BootError } from '../base/boot-error.ts'
import { toControl } from './drivers/transaction-control.ts'
import { type SqlStatement, splitStatements } from './sql-text.ts'

/** One file of a drizzle-kit folder. */
export interface MigrationFile {
  /** `0001_books`, as the file is called. */
  readonly tag: string
  /** The time in the journal, by which drizzle tells what has been applied. */
  readonly when: number
  /** As drizzle makes it: SHA-256 of the file. */
  readonly hash: string
  readonly statements: readonly string[]
  /** False for a file that begins with `-- no transaction`. */
  readonly inTransaction: boolean
  /** Why the file cannot be applied as it is; null when nothing is known against it. */
  readonly problem: string | null
}

/** Among the comments at the top of a file. */
const noTransaction = /^(?:\s*(?:--[^\n]*)?\n)*?[ \t]*--[ \t]*no[ -]transaction[ \t]*(?:\r?\n|$)/i

/** The files of the journal, in its order. Throws BootError `migration_failed`. */
export function readMigrationFiles(folder: string): MigrationFile[] {
  return readJournal(folder).map(({ tag, when }) => {
    const text = readFileSync(join(folder, `${tag}.sql`), 'utf8')
    const statements = text.split('--> statement-breakpoint').flatMap(splitStatements)
    const inTransaction = !noTransaction.test(text)
    return {
      tag,
      when,
      hash: createHash('sha256').update(text).digest('hex'),
      statements: statements.map((statement) => statement.text),
      inTransaction,
      problem:
        statements.map((statement) => findProblem(statement, inTransaction)).find((found) => found !== null) ?? null,
    }
  })
}

function findProblem({ text, words, parameters }: SqlStatement, inTransaction: boolean): string | null {
  const [parameter] = parameters
  // A routine has parameters of its own, and so has PREPARE.
  const hasOwn = words[0] === 'prepare' || words.some((word) => word === 'function' || word === 'procedure')
  if (parameter !== undefined && !hasOwn) {
    return (
      `${parameter} in \`${toExcerpt(text)}\` has no value: drizzle-kit leaves out what is put into sql\`…\` by \${…} in CHECK constraints, indexes and ` +
      'policies. Write the value itself into the file and into the schema'
    )
  }
  const control = toControl(words, inTransaction)
  if (control === null) return null
  return inTransaction
    ? `\`${control}\`: each file is a transaction of its own. Leave it out, or split the file`
    : `\`${control}\`: the file says \`-- no transaction\`, so each of its statements runs by itself. Put what belongs together into another file`
}

/** The start of a statement, on one line. */
export function toExcerpt(statement: string): string {
  const line = statement.replace(/\s+/g, ' ')
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}

/** Throws BootError `migration_failed` for a folder that drizzle-kit has not made. */
export function toMigrationFolder(migrations: URL | string): string {
  const isFile = migrations instanceof URL || migrations.startsWith('file:')
  const folder = isFile ? fileURLToPath(migrations) : resolve(migrations)
  if (existsSync(join(folder, 'meta', '_journal.json'))) return folder
  throw new BootError(
    'migration_failed',
    `There are no migrations in ${folder}: drizzle-kit generate makes them (meta/_journal.json is missing)`,
  )
}

interface JournalEntry {
  readonly tag: string
  readonly when: number
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
