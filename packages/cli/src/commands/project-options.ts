import { readFile, writeFile } from 'node:fs/promises'
import type { Terminal } from '../command.ts'
import { ProjectError } from '../project/project-error.ts'
import { UsageError } from '../usage-error.ts'

/** Options of all commands that import the app. */
export const appOptions = { project: { type: 'string' }, tools: { type: 'string' } } as const

export const appOptionsHelp = `  --project <folder>  The project; default: the nearest folder with a package.json
  --tools <file>      The module that creates the app; default: "tools" of twinwire.json, else src/twinwire.ts.
                      TypeScript is loaded by the project's tsx; a built file needs none`

/** Runs a command that may find the project unusable: 2. */
export async function withProject(command: string, terminal: Terminal, run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error
    terminal.err(`twinwire ${command}: ${error.message}\n`)
    return 2
  }
}

export function refusePositionals(command: string, positionals: readonly string[]): void {
  const [first] = positionals
  if (first !== undefined) throw new UsageError(`${command} takes options only, not ${JSON.stringify(first)}`)
}

export interface AgreedFile {
  readonly command: string
  readonly check: string | undefined
  readonly update: string | undefined
  /** What the app says now. */
  readonly text: string
  readonly terminal: Terminal
  /** What differs; empty when nothing does. `old` is the text of the file. */
  compare(old: string, file: string): readonly string[]
}

export function refuseBoth(command: string, check: string | undefined, update: string | undefined): void {
  if (check !== undefined && update !== undefined)
    throw new UsageError(`${command}: --check and --update exclude each other: remove one of them`)
}

/** `--check` compares a file with the app: 1 when they differ. `--update` writes it. Neither: null. */
export async function handleAgreedFile(agreed: AgreedFile): Promise<number | null> {
  const { command, check, update, text, terminal, compare } = agreed
  if (update !== undefined) {
    await writeFile(update, text).catch((error: unknown) => {
      throw new ProjectError(`${update} cannot be written: ${toMessage(error)}`)
    })
    terminal.out(`${update} written\n`)
    return 0
  }
  if (check === undefined) return null
  const old = await readFile(check, 'utf8').catch((error: unknown) => {
    throw new ProjectError(
      `${check} cannot be read: ${toMessage(error)}; to write it: twinwire ${command} --update ${check}`,
    )
  })
  const lines = compare(old, check)
  if (lines.length === 0) {
    terminal.out(`${check} agrees with the app\n`)
    return 0
  }
  const body = lines.map((line) => `${line}\n`).join('')
  terminal.out(`${check} differs from the app:\n${body}To accept: twinwire ${command} --update ${check}\n`)
  return 1
}

const toMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error))
