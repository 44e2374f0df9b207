import { type Environment, environments } from '../base/environment.ts'
import type { SettingsGroup } from './group.ts'
import type { Variable } from './variable.ts'

/** One variable, for documents. */
export interface SettingDescription {
  readonly group: string
  readonly name: string
  /** Required form of its value. */
  readonly type: string
  /** The effect of not setting it; `required` where it must be set. */
  readonly defaults: Readonly<Record<Environment, string>>
  readonly about: string
  readonly secret: boolean
}

/** A variable that must not be set, and what to do instead. */
export interface UnsupportedSetting {
  readonly group: string
  readonly name: string
  readonly instead: string
}

/** Every variable of an app; converted to a string, a Markdown table for each group. */
export interface SettingsDescription {
  readonly settings: readonly SettingDescription[]
  readonly unsupported: readonly UnsupportedSetting[]
  toString(): string
}

const environmentRow: SettingDescription = {
  group: 'environment',
  name: 'ENV',
  type: `one of ${environments.join(', ')}`,
  defaults: everywhere(() => '`NODE_ENV`, else dev'),
  about: 'Environment of the app. `production` in `ENV` or `NODE_ENV` overrides the other',
  secret: false,
}

export function describeSettings(groups: ReadonlyMap<string, SettingsGroup>): SettingsDescription {
  const rows = [...groups].flatMap(([group, { variables }]) =>
    Object.values(variables).map((variable) => describe(group, variable)),
  )
  const settings = [environmentRow, ...rows]
  const unsupported = [...groups].flatMap(([group, each]) =>
    Object.entries(each.unsupported).map(([name, instead]) => ({ group, name, instead })),
  )
  return { settings, unsupported, toString: () => `${toTables(settings)}${toUnsupportedTable(unsupported)}` }
}

function describe(group: string, { name, reader, options }: Variable): SettingDescription {
  return {
    group,
    name,
    type: options.expects ?? reader.expects,
    defaults: everywhere((environment) => defaultIn(environment, { name, reader, options })),
    about: options.about,
    secret: options.secret ?? false,
  }
}

function defaultIn(environment: Environment, { reader, options }: Variable): string {
  const { defaults, requiredIn = [], whenUnset, optional = false, secret = false } = options
  const value = options.default ?? defaults?.[environment]
  if (value !== undefined) return secret ? 'a default' : `\`${reader.show(value)}\``
  if (!optional || requiredIn.includes(environment)) return 'required'
  return (typeof whenUnset === 'object' ? whenUnset[environment] : whenUnset) ?? '-'
}

function everywhere(text: (environment: Environment) => string): Record<Environment, string> {
  const [dev, test, staging, production] = environments
  return { dev: text(dev), test: text(test), staging: text(staging), production: text(production) }
}

function toTables(settings: readonly SettingDescription[]): string {
  const groups = [...new Set(settings.map(({ group }) => group))]
  const tables = groups.map((group) => {
    const rows = settings.filter((each) => each.group === group).map(toRow)
    return [`## ${group}`, '', '| name | type | default | what it does |', '|---|---|---|---|', ...rows].join('\n')
  })
  return `${tables.join('\n\n')}\n`
}

function toUnsupportedTable(unsupported: readonly UnsupportedSetting[]): string {
  if (unsupported.length === 0) return ''
  const rows = unsupported.map(({ name, instead }) => `| \`${name}\` | ${instead.replaceAll('|', '\\|')} |`)
  return `\n${['## Not supported', '', 'Setting one of these is an error at start.', '', '| name | what to do |', '|---|---|', ...rows].join('\n')}\n`
}

function toRow({ name, type, defaults, about, secret }: SettingDescription): string {
  const cells = [`\`${name}\``, type, toDefaultCell(defaults), secret ? `${about}. **Secret**` : about]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** One default if all environments agree, else `dev, test: a; production: b`. */
function toDefaultCell(defaults: SettingDescription['defaults']): string {
  const byText = groupByText(defaults)
  if (byText.size === 1) return defaults.dev
  return [...byText].map(([text, where]) => `${where.join(', ')}: ${text}`).join('; ')
}

function groupByText(defaults: SettingDescription['defaults']): Map<string, string[]> {
  const byText = new Map<string, string[]>()
  for (const environment of environments) {
    const text = defaults[environment]
    byText.set(text, [...(byText.get(text) ?? []), environment])
  }
  return byText
}
