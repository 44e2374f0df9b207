import type { Readable, Writable } from 'node:stream'
import { cancel, intro, multiselect, select, text } from '@clack/prompts'
import type { Arguments } from './arguments.ts'
import { auths, databases, defaults, type ProjectOptions, packageManagers, switches } from './options.ts'
import { nameOf } from './project-folder.ts'
import { UsageError } from './usage-error.ts'

/** What a project is made from. */
export interface Answers {
  readonly folder: string
  readonly options: ProjectOptions
}

/** Where questions are asked and answered. */
export interface Terminal {
  readonly input: Readable
  readonly output: Writable
}

const about = {
  postgres: 'PostgreSQL; embedded (PGlite) in development',
  embedded: 'embedded PostgreSQL (PGlite) alone; not for production',
  keycloak: 'Keycloak; an issuer inside the process in development',
  development: 'an issuer inside the process alone; not for production',
  limits: 'limits of calls and connections',
  metrics: 'metrics for Prometheus',
  redis: 'Redis: several processes behave as one',
  page: 'a page for browsers, with the typed client',
} as const

/** Asks for what was not typed. Null if the user cancels. */
export async function ask(
  { folder, options }: Arguments,
  suggested: ProjectOptions,
  terminal: Terminal,
): Promise<Answers | null> {
  intro('create-twinwire', terminal)
  try {
    const answers = {
      folder:
        folder ??
        (await answered(text({ ...terminal, message: 'Folder', initialValue: 'my-app', validate: findProblem }))),
      options: await askOptions(options, suggested, terminal),
    }
    return answers
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
    cancel('Cancelled: nothing was written', terminal)
    return null
  }
}

async function askOptions(
  given: Partial<ProjectOptions>,
  suggested: ProjectOptions,
  terminal: Terminal,
): Promise<ProjectOptions> {
  const { database, auth, packageManager } = given
  const open = switches.filter((name) => given[name] === undefined)
  const choices = {
    database: database ?? (await choose(terminal, 'Database', databases, suggested.database)),
    auth: auth ?? (await choose(terminal, 'Users sign in at', auths, suggested.auth)),
  }
  const on: readonly string[] =
    open.length === 0
      ? []
      : await answered(
          multiselect({
            ...terminal,
            message: 'With (space selects)',
            options: open.map((name) => ({ value: name, label: about[name] })),
            initialValues: open.filter((name) => defaults[name]),
            required: false,
          }),
        )
  const isOn = (name: (typeof switches)[number]): boolean => given[name] ?? on.includes(name)
  return {
    ...choices,
    limits: isOn('limits'),
    metrics: isOn('metrics'),
    redis: isOn('redis'),
    page: isOn('page'),
    packageManager:
      packageManager ?? (await choose(terminal, 'Package manager', packageManagers, suggested.packageManager)),
  }
}

function choose<const Value extends string>(
  terminal: Terminal,
  message: string,
  values: readonly Value[],
  initialValue: Value,
): Promise<Value> {
  const options = values.map((value) => ({ value, label: labelOf(value) }))
  return answered(select<string>({ ...terminal, message, options, initialValue })).then((chosen) => {
    const value = values.find((each) => each === chosen)
    if (value === undefined) throw new Error(`There is no choice ${JSON.stringify(chosen)}`)
    return value
  })
}

function labelOf(value: string): string {
  const text = Object.entries(about).find(([name]) => name === value)?.[1]
  return text ?? value
}

/** What Clack answers with when the user cancels. */
type CancelSymbol = Extract<Awaited<ReturnType<typeof text>>, symbol>

async function answered<T extends string | readonly string[]>(answer: Promise<T | CancelSymbol>): Promise<T> {
  const value = await answer
  if (typeof value === 'symbol') throw new Cancelled()
  return value
}

function findProblem(folder: string | undefined): string | undefined {
  try {
    nameOf(folder ?? '')
    return undefined
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
}

class Cancelled extends Error {}
