import { BootError } from './boot-error.ts'

/** Values that an option of a fixed set of choices may have. */
export type Choice = string | number | boolean | null

/** What a value is, for a reader of another form of it (an environment variable). */
export type OptionForm =
  | { readonly kind: 'integer' | 'number' | 'duration' | 'bytes'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly choices: readonly Choice[] }
  | { readonly kind: 'flag' | 'string' | 'list' | 'other' }

/** The value of an option, or what is wrong with it. */
export type OptionReading<Value> = { readonly ok: true; readonly value: Value } | OptionProblem

export interface OptionProblem {
  readonly ok: false
  readonly code: 'bad_option' | 'unknown_option'
  /** Which part of the value: `[2]`, `.max`; empty for the value itself. */
  readonly at: string
  /** Follows the name of the option. Never holds the value. */
  readonly problem: string
  /** The value as messages show it; null where they must not, or where there is none. */
  readonly received: string | null
}

/** How one option is checked. Made by `option`; one rule serves an option and its environment variable. */
export interface OptionRule<out Value = unknown> {
  readonly form: OptionForm
  /** What to write, after "must be": `an integer from 1 to 64`. */
  readonly expects: string
  /** The value of an option that is not set; null for a required option. */
  readonly unset: { readonly value: Value } | null
  /** Checks a value that is set. */
  readonly read: (value: unknown) => OptionReading<Value>
}

/** Rules by the name of their option. */
export type OptionTable = Readonly<Record<string, OptionRule>>

type ValueOf<Rule> = Rule extends OptionRule<infer Value> ? Value : never
type UnsetKey<Table extends OptionTable> = {
  [Key in keyof Table]: undefined extends ValueOf<Table[Key]> ? Key : never
}[keyof Table]

/** The options of a table: checked, defaults filled in. One that is not set and has no default is left out. */
export type OptionsOf<Table extends OptionTable> = Flat<
  { readonly [Key in Exclude<keyof Table, UnsetKey<Table>>]: ValueOf<Table[Key]> } & {
    readonly [Key in UnsetKey<Table>]?: Exclude<ValueOf<Table[Key]>, undefined>
  }
>
type Flat<T> = { [Key in keyof T]: T[Key] } & {}

/** A table with a rule for each option of an interface: `const rules = { … } satisfies OptionRules<MailOptions>`. */
export type OptionRules<Options> = { readonly [Key in keyof Options]-?: OptionRule<Options[Key] | undefined> }

/** With neither, an option that is not set is undefined. */
export interface Presence<Default, Required extends boolean> {
  readonly default?: Default
  readonly required?: Required
  /** No message shows the value. Default false. */
  readonly secret?: boolean
}

/** The presence of a rule whose types are known elsewhere. */
export type Given<T> = Presence<T, boolean>

/** The value of an option by its presence. */
export type Present<T, Default, Required> = Default extends undefined ? (Required extends true ? T : T | undefined) : T

export interface RuleParts<T> extends Given<T> {
  readonly form: OptionForm
  readonly expects: string
  readonly is: (value: unknown) => value is T
}

/** A rule that takes a value as it is, or refuses it. */
export function createRule<T>({ is, ...parts }: RuleParts<T>): OptionRule<T | undefined> {
  return finishRule(parts, (value) => (is(value) ? { ok: true, value } : refuse(parts, value)))
}

/** @throws BootError `bad_option` for a default that the rule itself refuses. */
export function finishRule<T>(
  { form, expects, default: value, required = false }: Omit<RuleParts<T>, 'is'>,
  read: OptionRule<T>['read'],
): OptionRule<T | undefined> {
  const reading = value === undefined ? null : read(value)
  if (reading?.ok === false)
    throw new BootError('bad_option', `The default of an option ${reading.problem}, received ${show(value)}`)
  return Object.freeze({ form, expects, unset: required ? null : { value }, read })
}

export function refuse(
  { expects, secret }: Pick<RuleParts<unknown>, 'expects' | 'secret'>,
  value: unknown,
): OptionProblem {
  const received = secret === true ? null : show(value)
  return { ok: false, code: 'bad_option', at: '', problem: `must be ${expects}`, received }
}

const maxShown = 80

/** A value in a message: short, on one line, and nothing of what is inside an object. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    const text = JSON.stringify(value.length > maxShown ? `${value.slice(0, maxShown)}…` : value).slice(1, -1)
    return `'${text.replaceAll('\\"', '"')}'`
  }
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
