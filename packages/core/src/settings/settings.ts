import { BootError } from '../base/boot-error.ts'
import { type Environment, resolveEnvironment } from '../base/environment.ts'
import { describeSettings, type SettingsDescription } from './describe-settings.ts'
import { readEnvFile, type Variables } from './env-file.ts'
import { type AnyGroup, type GroupValue, type SettingsGroup, toGroup } from './group.ts'
import { freezeMasked } from './mask.ts'
import { isSet, readVariable } from './read-variable.ts'

export type SettingsGroups = Readonly<Record<string, AnyGroup>>

/** Settings that have been read: frozen at every depth. */
export type SettingsOf<Groups extends SettingsGroups> = {
  /** From `ENV`, else `NODE_ENV`, else `dev`; for `createApp({ environment })`. */
  readonly environment: Environment
} & { readonly [Name in keyof Groups]: GroupValue<Groups[Name]> }

/** Where settings are read from. */
export interface SettingsSource {
  /** Default `process.env`. */
  readonly variables?: Variables
  /**
   * A file of `NAME=value` lines; `variables` take precedence. Default: `.env` in the working directory if it exists, and no file if
   * `variables` is given. A file that is set here must exist.
   */
  readonly envFile?: string | false
  /** Overrides `ENV` and `NODE_ENV`. */
  readonly environment?: Environment
}

/** Declared settings that have not been read yet. */
export interface SettingsDeclaration<Groups extends SettingsGroups> {
  /** Reads and checks all variables. Throws BootError `bad_settings` that lists every error, by variable. */
  read(source?: SettingsSource): SettingsOf<Groups>
  /** Every variable; converted to a string it is a Markdown table. */
  describe(): SettingsDescription
}

/**
 * Declares the settings of an app in groups. Nothing is read before `read()`; call it in the entry file.
 *
 * @example
 * const declared = defineSettings({
 *   listen: listenSettings,
 *   http: httpSettings,
 *   mail: { key: variable.text('MAIL_KEY', { about: 'Key of the mail service', secret: true }) },
 * })
 * type Settings = ReturnType<typeof declared.read>
 *
 * const settings = declared.read()
 * const app = createApp({ pkgIds, routes, environment: settings.environment, http: settings.http })
 * await app.listen(settings.listen)
 */
export function defineSettings<const Groups extends SettingsGroups>(groups: Groups): SettingsDeclaration<Groups> {
  const all = new Map(Object.entries(groups).map(([name, group]) => [name, toGroup(group)]))
  checkNames(all)
  return {
    // Each group's `to` made its value, so that the types of `groups` are those of the result.
    read: (source = {}) => readSettings(all, source) as SettingsOf<Groups>,
    describe: () => describeSettings(all),
  }
}

function checkNames(groups: ReadonlyMap<string, SettingsGroup>): void {
  if (groups.has('environment'))
    throw new BootError(
      'bad_option',
      "defineSettings: the name 'environment' is reserved: choose another name for the group",
    )
  const owners = new Map([
    ['ENV', 'environment'],
    ['NODE_ENV', 'environment'],
  ])
  for (const [group, { variables }] of groups) {
    for (const { name } of Object.values(variables)) {
      const other = owners.get(name)
      if (other !== undefined)
        throw new BootError(
          'bad_option',
          `defineSettings: the variable ${name} is declared in '${other}' and in '${group}': declare it once`,
        )
      owners.set(name, group)
    }
  }
}

function readSettings(groups: ReadonlyMap<string, SettingsGroup>, source: SettingsSource): object {
  const problems: string[] = []
  const variables = collect(source, problems)
  const environment = findEnvironment(source.environment, variables, problems)
  const settings: Record<string, unknown> = { environment }
  const secrets: string[] = []
  for (const [name, group] of groups) {
    const before = problems.length
    const values = readGroup(group, variables, environment, problems)
    problems.push(...group.check({ environment, isSet: (key) => isSet(group.variables[key]?.name ?? '', variables) }))
    for (const [key, { name, options }] of Object.entries(group.variables)) {
      if (!options.secret || !isSet(name, variables)) continue
      secrets.push(variables[name] ?? '')
      // Those of a list are not printed as the text that they are read from.
      const value = values[key]
      if (Array.isArray(value)) secrets.push(...value.map(String).filter((each) => each !== ''))
    }
    if (problems.length === before) settings[name] = group.to(values, environment)
  }
  problems.push(...findUnsupported(groups, variables))
  if (problems.length > 0) {
    throw new BootError('bad_settings', ['Invalid settings:', ...problems.map((problem) => `  ${problem}`)].join('\n'))
  }
  return freezeMasked(settings, secrets)
}

/** Unsupported variables that are set and that no other group reads. */
function findUnsupported(groups: ReadonlyMap<string, SettingsGroup>, variables: Variables): string[] {
  const all = [...groups.values()]
  const read = new Set(all.flatMap((group) => Object.values(group.variables).map(({ name }) => name)))
  return all
    .flatMap(({ unsupported }) => Object.entries(unsupported))
    .filter(([name]) => isSet(name, variables) && !read.has(name))
    .map(([name, instead]) => `${name} is not supported: ${instead}`)
}

function collect({ variables, envFile }: SettingsSource, problems: string[]): Variables {
  const file = envFile ?? (variables === undefined ? '.env' : false)
  const given = variables ?? process.env
  if (file === false) return given
  const merged: Record<string, string | undefined> = { ...readEnvFile(file, envFile !== undefined, problems) }
  for (const [name, value] of Object.entries(given)) if (value) merged[name] = value
  return merged
}

/** If the environment is invalid, the rest is checked as in development, which requires the fewest variables. */
function findEnvironment(given: Environment | undefined, variables: Variables, problems: string[]): Environment {
  try {
    return resolveEnvironment(given, variables).environment
  } catch (error) {
    if (!(error instanceof BootError)) throw error
    problems.push(error.message)
    return 'dev'
  }
}

function readGroup(
  group: SettingsGroup,
  variables: Variables,
  environment: Environment,
  problems: string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [key, each] of Object.entries(group.variables)) {
    const reading = readVariable(each, variables, environment)
    if (!reading.ok) problems.push(`${each.name} ${reading.message}`)
    else if (reading.value !== undefined) values[key] = reading.value
  }
  return values
}
