import type { MigrationEntry } from '@twinwire/core/database'
import type { Command, Terminal } from '../command.ts'
import { parseOptions } from '../parse-options.ts'
import { askApp } from '../project/ask-app.ts'
import { openProject } from '../project/project.ts'
import { UsageError } from '../usage-error.ts'
import { appOptions, appOptionsHelp, withProject } from './project-options.ts'

const help = `Usage: twinwire migrate [status | pending] [options]

Applies the pending migrations of the project, each in a transaction of its own, one process at a time.
  status   Only list all migrations and what became of them
  pending  Only list those that are not applied

Migrations go forward only: there is no down, rollback or stamp. To undo one, write another migration that does, or restore
a backup. It calls readMigrateOptions() of the project.

Options:
  --json              Print JSON
${appOptionsHelp}
  --help, -h          Show this

Exit code:
  0  all migrations are applied
  1  one is not: pending, skipped or changed
  2  the database could not be reached, or a migration failed; those before it stay applied
`

const options = { ...appOptions, json: { type: 'boolean', default: false } } as const

const backward = /^(?:down|downgrade|rollback|revert|undo|reset|stamp|redo|drop)$/

function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions('migrate', args, options)
  const action = toAction(positionals)
  const { json, tools } = values
  return withProject('migrate', terminal, async () => {
    const asking = { project: openProject(values.project), tools, terminal }
    if (action === 'apply') {
      const { before, after } = await askApp('migrate', asking)
      // Another process may have applied some of them meanwhile: it is only known that they were pending.
      const pending = new Set(before.filter(({ state }) => state === 'pending').map(({ tag }) => tag))
      const rows = after.map((entry) => ({ ...entry, wasPending: pending.has(entry.tag) }))
      terminal.out(json ? toJson(rows) : `${rows.map(toLine).join('')}${summarize(rows)}\n`)
      return toCode(after)
    }
    const all = await askApp('migrationStatus', asking)
    const shown = action === 'pending' ? all.filter(({ state }) => state !== 'applied') : all
    terminal.out(json ? toJson(shown) : shown.length === 0 ? 'nothing is pending\n' : shown.map(toLine).join(''))
    return toCode(all)
  })
}

function toAction([word, ...more]: readonly string[]): 'apply' | 'status' | 'pending' {
  if (word === undefined) return 'apply'
  if (backward.test(word))
    throw new UsageError(
      `migrate ${word}: migrations go forward only; write another migration that undoes the change, or restore a backup`,
    )
  if (more.length > 0 || (word !== 'status' && word !== 'pending'))
    throw new UsageError(`migrate takes nothing, status or pending, not ${JSON.stringify([word, ...more].join(' '))}`)
  return word
}

interface Row extends MigrationEntry {
  /** Before this run. */
  readonly wasPending?: boolean
}

const advice: Readonly<Record<string, string>> = {
  skipped: 'a later migration was applied before it, so it never will be: generate it again',
  changed: 'its file is not the one that was applied: restore the file, and write the change as another migration',
}

function toLine({ tag, state, problem, wasPending = false }: Row): string {
  const note = problem === undefined ? advice[state] : `cannot be applied: ${problem}`
  const line = `${state.padEnd(7)}  ${tag}${wasPending ? ' (was pending)' : ''}\n`
  return note === undefined ? line : `${line}         ${note}\n`
}

function summarize(rows: readonly Row[]): string {
  if (rows.length === 0) return 'there are no migrations'
  const count = rows.filter(({ wasPending }) => wasPending).length
  return count === 0 ? 'nothing was pending' : `${count} of ${rows.length} were pending`
}

const toJson = (entries: readonly Row[]): string => `${JSON.stringify(entries, null, 2)}\n`

const toCode = (entries: readonly MigrationEntry[]): number =>
  entries.every(({ state }) => state === 'applied') ? 0 : 1

export const migrate: Command = { help, run }
