import type { Environment } from '../base/environment.ts'
import type { Variable } from './variable.ts'

/** Variables by the key of their values. */
export type VariableTable = Readonly<Record<string, Variable>>

type OptionalKeys<Table extends VariableTable> = {
  [Key in keyof Table]: Table[Key] extends Variable<unknown, false> ? never : Key
}[keyof Table]

type ValueOf<V> = V extends Variable<infer T> ? T : never

/** The values of a table of variables: an optional variable is an optional key. */
export type ValuesOf<Table extends VariableTable> = Simplify<
  { readonly [Key in Exclude<keyof Table, OptionalKeys<Table>>]: ValueOf<Table[Key]> } & {
    readonly [Key in OptionalKeys<Table>]?: ValueOf<Table[Key]>
  }
>

type Simplify<T> = { [Key in keyof T]: T[Key] } & {}

/** What is known of the variables of a group before they are valid. */
export interface GroupState<Key extends string = string> {
  readonly environment: Environment
  /** Is it set, by the environment or the file, and not empty? */
  isSet(key: Key): boolean
}

/** Variables of one part of an app, and the value that is built from them. */
export interface SettingsGroup<out Value = unknown> {
  readonly '~group': true
  readonly variables: VariableTable
  readonly unsupported: Readonly<Record<string, string>>
  readonly check: (state: GroupState) => readonly string[]
  readonly to: (values: Readonly<Record<string, unknown>>, environment: Environment) => Value
}

/**
 * Declares variables from which one value is built. `check` returns an error for each invalid combination, as a sentence that
 * begins with the name of a variable; `to` runs when all of them are valid. `unsupported` lists variables that a user may expect
 * to work, with what to do instead: setting one is an error, unless another group reads it.
 *
 * @example
 * const mailSettings = settingsGroup({
 *   variables: {
 *     host: variable.text('MAIL_HOST', { about: 'Mail server', default: 'localhost' }),
 *     port: variable.integer('MAIL_PORT', { about: 'Its port', max: 65_535, default: 25 }),
 *   },
 *   unsupported: { MAIL_URL: 'set MAIL_HOST and MAIL_PORT' },
 *   to: ({ host, port }) => ({ server: `${host}:${port}` }),
 * })
 */
export function settingsGroup<const Table extends VariableTable, Value>(group: {
  readonly variables: Table
  readonly unsupported?: Readonly<Record<string, string>>
  readonly check?: (state: GroupState<keyof Table & string>) => readonly string[]
  readonly to: (values: ValuesOf<Table>, environment: Environment) => Value
}): SettingsGroup<Value> {
  const { variables, unsupported = {}, check = () => [], to } = group
  return {
    '~group': true,
    variables,
    unsupported,
    check,
    // The values passed to `to` are read by `variables`, so they have its types.
    to: (values, environment) => to(values as ValuesOf<Table>, environment),
  }
}

/** A group, or a table of variables. */
export type AnyGroup = SettingsGroup | VariableTable

export type GroupValue<Group> =
  Group extends SettingsGroup<infer Value> ? Value : Group extends VariableTable ? ValuesOf<Group> : never

/** A table of variables is a group of their values. */
export function toGroup(group: AnyGroup): SettingsGroup {
  return isGroup(group) ? group : settingsGroup({ variables: group, to: (values) => values })
}

function isGroup(group: AnyGroup): group is SettingsGroup {
  return group['~group'] === true
}
