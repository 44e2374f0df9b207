import { parseArgs } from 'node:util'
import { auths, databases, type ProjectOptions, packageManagers, switches } from './options.ts'
import { UsageError } from './usage-error.ts'

/** What was typed after the name of the program. */
export interface Arguments {
  readonly folder: string | undefined
  /** Those that were named. */
  readonly options: Partial<ProjectOptions>
  /** Defaults for the others, and no questions. */
  readonly yes: boolean
  readonly help: boolean
  readonly version: boolean
}

const config = {
  database: { type: 'string' },
  auth: { type: 'string' },
  limits: { type: 'boolean' },
  metrics: { type: 'boolean' },
  redis: { type: 'boolean' },
  page: { type: 'boolean' },
  'package-manager': { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

const mayBeOff: readonly string[] = switches

/** Throws a UsageError that says what to change. */
export function parseArguments(args: readonly string[]): Arguments {
  // Not strict: the messages here name the alternatives.
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: config,
    allowPositionals: true,
    allowNegative: true,
    strict: false,
    tokens: true,
  })
  const given = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    checkOption(token.rawName, token.name, token.value)
    if (given.has(token.name)) throw new UsageError(`--${token.name} is given twice: keep one`)
    given.add(token.name)
  }
  const [folder, ...more] = positionals
  if (more.length > 0)
    throw new UsageError(`there is one folder, and ${JSON.stringify(more[0])} is a second one: remove it`)
  const database = choose('database', databases, values.database)
  const auth = choose('auth', auths, values.auth)
  const packageManager = choose('package-manager', packageManagers, values['package-manager'])
  const chosen = switches.flatMap((name) => (typeof values[name] === 'boolean' ? [[name, values[name]]] : []))
  return {
    folder,
    options: {
      ...(database !== undefined && { database }),
      ...(auth !== undefined && { auth }),
      ...Object.fromEntries(chosen),
      ...(packageManager !== undefined && { packageManager }),
    },
    yes: values.yes === true,
    help: values.help === true,
    version: values.version === true,
  }
}

function checkOption(typed: string, name: string, value: string | undefined): void {
  const known = Object.hasOwn(config, name)
  const off = /^--no-(.+)$/.exec(typed)?.[1]
  if (!known || (off !== undefined && !mayBeOff.includes(name)))
    throw new UsageError(`there is no option ${typed}: --help lists them`)
  const takesValue = name === 'database' || name === 'auth' || name === 'package-manager'
  if (!takesValue && value !== undefined)
    throw new UsageError(
      `${typed} takes no value, and has ${JSON.stringify(value)}: write --${name}${mayBeOff.includes(name) ? ` or --no-${name}` : ''}`,
    )
}

function choose<const Choices extends readonly string[]>(
  name: string,
  choices: Choices,
  value: string | boolean | undefined,
): Choices[number] | undefined {
  if (value === undefined) return undefined
  const chosen: Choices[number] | undefined = choices.find((each) => each === value)
  if (chosen !== undefined) return chosen
  const list = choices.join(', ')
  throw new UsageError(
    typeof value === 'string' && value !== ''
      ? `--${name} is ${list}, not ${JSON.stringify(value)}`
      : `--${name} needs a value: ${list}`,
  )
}
