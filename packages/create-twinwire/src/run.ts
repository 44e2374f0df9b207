import { relative, resolve } from 'node:path'
import { parseArguments } from './arguments.ts'
import { createProject } from './create-project.ts'
import { defaults, type ProjectOptions, packageManagerOf } from './options.ts'
import { type Versions, versionOf } from './package-json.ts'
import { commandsOf } from './pieces.ts'
import { checkFolder, nameOf } from './project-folder.ts'
import type { Answers, Terminal } from './questions.ts'
import { UsageError } from './usage-error.ts'

/** Where the program runs. */
export interface Surroundings {
  /** Where questions are asked and answered; null without a terminal. */
  readonly terminal: Terminal | null
  /** `npm_config_user_agent`. */
  readonly userAgent: string | undefined
  /** Of this package, of pnpm, and of what projects depend on. */
  readonly versions: Versions
  out(text: string): void
  err(text: string): void
}

const help = `Usage: npm create twinwire@latest <folder> -- [options]

Writes an application on Twinwire into a new folder, named after it. In a terminal it asks for what is left out; elsewhere, or with --yes, defaults are used.

Options:
  --database <name>         postgres (default), embedded or none
  --auth <name>             keycloak (default), development or none
  --limits, --no-limits     Limits of calls and connections (default: with)
  --metrics, --no-metrics   Metrics for Prometheus (default: with)
  --redis, --no-redis       Redis, for several processes (default: without)
  --page, --no-page         A page for browsers, with the typed client (default: with)
  --package-manager <name>  npm, pnpm or yarn (default: the one that runs this)
  --yes, -y                 Ask nothing
  --help, -h                Show this
  --version, -v             Show the version
`

/** The exit code: 0, or 1 when no project was made. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await dispatch(args, surroundings)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    surroundings.err(`create-twinwire: ${error.message}\n`)
    return 1
  }
}

async function dispatch(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const parsed = parseArguments(args)
  if (parsed.help) {
    surroundings.out(help)
    return 0
  }
  if (parsed.version) {
    surroundings.out(`${versionOf('create-twinwire', surroundings.versions)}\n`)
    return 0
  }
  const { folder, options, yes } = parsed
  // Before any question.
  if (folder !== undefined) {
    nameOf(resolve(folder))
    await checkFolder(resolve(folder))
  }
  const packageManager = packageManagerOf(surroundings.userAgent) ?? defaults.packageManager
  const suggested: ProjectOptions = { ...defaults, packageManager, ...options }
  let answers: Answers | null
  if (yes || surroundings.terminal === null) {
    if (folder === undefined) throw new UsageError('name the folder of the project: npm create twinwire@latest my-app')
    answers = { folder, options: suggested }
  } else {
    // Loaded when there is a question.
    const { ask } = await import('./questions.ts')
    answers = await ask(parsed, suggested, surroundings.terminal)
  }
  if (answers === null) return 1
  const files = await createProject(answers.folder, answers.options, surroundings.versions)
  surroundings.out(nextSteps(answers, files.length, surroundings.versions))
  return 0
}

function nextSteps({ folder, options }: Answers, files: number, versions: Versions): string {
  const path = relative('.', folder)
  const { install, run } = commandsOf(options.packageManager, versionOf('pnpm', versions))
  const { database, auth, limits, metrics, redis, page } = options
  const parts = Object.entries({ limits, metrics, redis, page }).flatMap(([name, on]) => (on ? [name] : []))
  return `
${resolve(folder)}: ${files} files, with ${[`database ${database}`, `auth ${auth}`, ...parts].join(', ')}

Next:
${path === '' ? '' : `  cd ${path}\n`}  ${install}
  ${run} dev
`
}
