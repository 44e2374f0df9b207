import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BootError } from '../base/boot-error.ts'
import { toControl } from './drivers/transaction-control.ts'
import { type SqlStatement, splitStatements } from './sql-text.ts'

/** One file of a drizzle-kit folder. */
export interface MigrationFile {
  /** The name of the file: `0001_books`. */
  readonly tag: string
  /** The time in the journal, by which drizzle identifies applied migrations. */
  readonly when: number
  /** SHA-256 of the file, as drizzle computes it. */
  readonly hash: string
  readonly statements: readonly string[]
  /** False for a file that starts with `-- no transaction`. */
  readonly inTransaction: boolean
  /** Why the file cannot be applied; null when no problem is known. */
  readonly problem: string | null
}

/** Among the comments at the top of a file. */
const noTransaction = /^(?:\s*(?:--[^\n]*)?\n)*?[ \t]*--[ \t]*no[ -]transaction[ \t]*(?:\r?\n|$)/i

/** The files of the journal, in its order. Throws BootError `failed_migration`. */
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
  // Routines and PREPARE have their own parameters.
  const hasOwn = words[0] === 'prepare' || words.some((word) => word === 'function' || word === 'procedure')
  if (parameter !== undefined && !hasOwn) {
    return (
      `${parameter} in \`${toExcerpt(text)}\` has no value: drizzle-kit drops values of sql\`\${…}\` in CHECK constraints, indexes and ` +
      'policies. Write the value itself into the file and into the schema'
    )
  }
  const control = toControl(words, inTransaction)
  if (control === null) return null
  return inTransaction
    ? `\`${control}\`: each file runs in a separate transaction. Remove it, or split the file`
    : `\`${control}\`: the file has \`-- no transaction\`, so each statement runs separately. Move statements that need a transaction to another file`
}

/** The start of a statement, on one line. */
export function toExcerpt(statement: string): string {
  const line = statement.replace(/\s+/g, ' ')
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}

/** Throws BootError `failed_migration` for a folder that is not drizzle-kit's. */
export function toMigrationFolder(migrations: URL | string): string {
  const isFile = migrations instanceof URL || migrations.startsWith('file:')
  const folder = isFile ? fileURLToPath(migrations) : resolve(migrations)
  if (existsSync(join(folder, 'meta', '_journal.json'))) return folder
  throw new BootError(
    'failed_migration',
    `There are no migrations in ${folder}: run drizzle-kit generate (meta/_journal.json is missing)`,
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
    throw new BootError('failed_migration', `${join(folder, 'meta', '_journal.json')} is not a journal of drizzle-kit`)
  }
  return entries
}

function isJournalEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null || !('tag' in value) || !('when' in value)) return false
  return typeof value.tag === 'string' && typeof value.when === 'number'
}
