import { BootError } from '../base/boot-error.ts'
import type { Environment } from '../base/environment.ts'
import { type Bounds, option } from '../base/option.ts'
import type { OptionRule, OptionRules, OptionTable } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'
import type { Schema } from '../base/schema.ts'
import type { Reader } from './reader.ts'
import { type DurationUnit, ruleReader, type TextOptions } from './rule-reader.ts'
import { schemaReader } from './schema-reader.ts'

/** Options of a variable in addition to its type. It is required unless it has a default or is optional. */
export interface VariableOptions<T, Optional extends boolean = boolean> {
  /** What it does, for the settings table and for errors. */
  readonly about: string
  /** Its value is never shown. Default false. */
  readonly secret?: boolean
  readonly default?: T
  /** By environment; required in an environment without a default. */
  readonly defaults?: Readonly<Partial<Record<Environment, T>>>
  /** If it is not set its key is missing, so that the default of the option applies. */
  readonly optional?: Optional
  /** Environments in which an optional variable is required. */
  readonly requiredIn?: readonly Environment[]
  /** For the settings table: the effect of an optional variable that is not set. */
  readonly whenUnset?: string | Readonly<Partial<Record<Environment, string>>>
  /** Required form, if the type does not say enough: `https://, a host, and no path`. */
  readonly expects?: string
  /** Returns what is wrong with a value of the right type, to be shown after the name, or null. Must not quote the value. */
  check?(value: T): string | null
}

/** A declared environment variable. */
export interface Variable<out T = unknown, out Optional extends boolean = boolean> {
  /** Never set: carries the types. */
  readonly '~types'?: { readonly value: T; readonly optional: Optional }
  readonly name: string
  readonly reader: Reader<T>
  readonly options: VariableOptions<unknown>
}

/** A factory for each type of variable. `NoInfer`: where any variable is accepted, that must not make all of them optional. */
type Declare<T, Extra = unknown> = <Optional extends boolean = false>(
  name: string,
  options: VariableOptions<T, Optional> & Extra,
) => Variable<T, NoInfer<Optional>>

/** For a variable that has the type and the default of an option. */
type RuleVariableOptions<T> = Omit<VariableOptions<Exclude<T, undefined>>, 'default' | 'defaults' | 'optional'> &
  TextOptions

/** Values that a variable can hold. */
type TextValue = string | number | boolean | null | readonly string[]

/**
 * Declares environment variables. An empty one counts as not set.
 *
 * @example
 * const retries = option.integer({ max: 10, default: 3 }) // also the rule of an option `retries`
 * const mail = {
 *   key: variable.text('MAIL_KEY', { about: 'Key of the mail service', secret: true }),
 *   retries: variable.option('MAIL_RETRIES', retries, { about: 'Attempts after the first' }),
 *   timeoutMs: variable.duration('MAIL_TIMEOUT', { about: 'How long one attempt may take', default: 2000 }),
 *   from: variable.of('MAIL_FROM', v.pipe(v.string(), v.email()), { about: 'Sender', optional: true }),
 * }
 */
export const variable: {
  readonly text: Declare<string>
  /** From `min` (0) to `max`. */
  readonly integer: Declare<number, Bounds>
  readonly number: Declare<number, Bounds>
  /** `true` or `false`. */
  readonly flag: Declare<boolean>
  /** `500ms`, `2s`, `5m`, `1h`; a number alone is in `unit`, default seconds. Value, default and bounds are milliseconds; `max` is a day. */
  readonly duration: Declare<number, Bounds & { readonly unit?: DurationUnit }>
  /** `512KiB`, `1MiB`, or a number of bytes. Value, default and bounds are bytes. */
  readonly bytes: Declare<number, Bounds>
  /** A JSON list of strings. */
  readonly list: Declare<readonly string[]>
  readonly oneOf: <const T extends string, Optional extends boolean = false>(
    name: string,
    choices: readonly T[],
    options: VariableOptions<NoInfer<T>, Optional> & { readonly aliases?: Readonly<Record<string, NoInfer<T>>> },
  ) => Variable<T, NoInfer<Optional>>
  /** Reads with a Standard Schema for strings, of valibot, zod or another library. */
  readonly of: <T, Optional extends boolean = false>(
    name: string,
    schema: Schema<string, T>,
    options: VariableOptions<NoInfer<T>, Optional>,
  ) => Variable<T, NoInfer<Optional>>
  /** Reads with the rule of an option: bounds, default, and whether it is required. An option without a default is left out if it is not set. */
  readonly option: <T extends TextValue | undefined>(
    name: string,
    rule: OptionRule<T>,
    options: RuleVariableOptions<T>,
  ) => Variable<Exclude<T, undefined>, undefined extends T ? true : false>
} = {
  text: (name, options) => declare(name, ruleReader(text, {}), options),
  integer: (name, options) => declare(name, ruleReader(option.integer(toBounds(options)), {}), options, bounds),
  number: (name, options) => declare(name, ruleReader(option.number(toBounds(options)), {}), options, bounds),
  flag: (name, options) => declare(name, ruleReader(option.flag(), {}), options),
  duration: (name, options) =>
    declare(name, ruleReader(option.duration(toBounds(options)), options), options, { ...bounds, unit }),
  bytes: (name, options) => declare(name, ruleReader(option.bytes(toBounds(options)), {}), options, bounds),
  list: (name, options) => declare(name, ruleReader(strings, {}), options),
  oneOf: (name, choices, options) =>
    declare(name, ruleReader(option.choice(choices, required), options), options, { aliases }),
  of: (name, schema, options) => declare(name, schemaReader(schema, name), options),
  option: (name, rule, options) => declareByRule(name, rule, options),
}

const required = { required: true } as const
const text = option.string({ expects: 'a string', test: () => true, ...required })
const strings = option.list({
  of: option.string(),
  expects: 'a list of strings, such as ["a","b"]',
  ...required,
})
const bounds = { min: option.number(), max: option.number() }
const unit = option.choice(['ms', 's', 'm', 'h', 'd'])
const aliases = option.unchecked()
const optional = { optional: true } as const

const known = {
  about: option.string({ required: true }),
  secret: option.flag(),
  default: option.unchecked(),
  defaults: option.unchecked(),
  optional: option.flag(),
  requiredIn: option.unchecked(),
  whenUnset: option.unchecked(),
  expects: option.string(),
  check: option.callback(),
} satisfies OptionRules<VariableOptions<unknown>>

const toBounds = ({ min, max }: Bounds): Bounds => ({
  ...(min !== undefined && { min }),
  ...(max !== undefined && { max }),
})

function declareByRule<T extends TextValue | undefined>(
  name: string,
  rule: OptionRule<T>,
  options: RuleVariableOptions<T>,
): Variable<Exclude<T, undefined>, undefined extends T ? true : false>
function declareByRule(name: string, rule: OptionRule, options: RuleVariableOptions<unknown>): Variable {
  const presence = rule.unset === null ? {} : rule.unset.value === undefined ? optional : { default: rule.unset.value }
  return declare(name, ruleReader(rule, options), { ...options, ...presence }, { unit, aliases })
}

function declare<T, Optional extends boolean>(
  name: string,
  reader: Reader<T>,
  options: VariableOptions<T, Optional>,
  more: OptionTable = {},
): Variable<T, Optional> {
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw new BootError('bad_option', `'${name}' is not a valid variable name: use letters, digits and _`)
  checkOptions(`The variable ${name}`, options, { ...known, ...more })
  const ways = (['default', 'defaults', 'optional'] as const).filter((way) => options[way] !== undefined)
  if (ways.length > 1)
    throw new BootError('bad_option', `The variable ${name} has ${ways.join(' and ')}: keep one of them`)
  return Object.freeze({ name, reader, options })
}
