import { BootError } from '../base/boot-error.ts'
import type { Environment } from '../base/environment.ts'
import type { Schema } from '../base/schema.ts'
import { checkKeys } from '../route/route-definition.ts'
import {
  type Bounds,
  choiceReader,
  flagReader,
  listReader,
  numberReader,
  type Reader,
  textReader,
  wholeNumberReader,
} from './reader.ts'
import { schemaReader } from './schema-reader.ts'
import { bytesReader, type DurationUnit, durationReader } from './unit-readers.ts'

/** What a variable is beside its type. With neither a default nor `optional` it must be set. */
export interface VariableOptions<T, Optional extends boolean = boolean> {
  /** What it does, in a sentence, for the table of settings and the report of mistakes. */
  readonly about: string
  /** Its value is never shown. Default false. */
  readonly secret?: boolean
  readonly default?: T
  /** By environment; in one that is not named the variable must be set. */
  readonly defaults?: Readonly<Partial<Record<Environment, T>>>
  /** Unset, its key is not there at all, so that what is configured by it has its own default. */
  readonly optional?: Optional
  /** Where an optional variable must be set nevertheless. */
  readonly requiredIn?: readonly Environment[]
  /** For the table of settings: what holds when an optional variable is not set. */
  readonly whenUnset?: string | Readonly<Partial<Record<Environment, string>>>
  /** What the text has to be, for people, where that is more than its type says: `https://, a host, and no path`. */
  readonly expects?: string
  /** What is wrong with a value that its type allows, as a sentence after the name, or null. It must not quote it. */
  readonly check?: (value: T) => string | null
}

/** A declared environment variable. */
export interface Variable<out T = unknown, out Optional extends boolean = boolean> {
  /** Never set: carries the types. */
  readonly '~types'?: { readonly value: T; readonly optional: Optional }
  readonly name: string
  readonly reader: Reader<T>
  readonly options: VariableOptions<unknown>
}

/** A factory for each type of variable. `NoInfer`: where any variable will do, that must not make every one optional. */
type Declare<T, Extra = unknown> = <Optional extends boolean = false>(
  name: string,
  options: VariableOptions<T, Optional> & Extra,
) => Variable<T, NoInfer<Optional>>

/**
 * Declares environment variables. An empty one counts as not set.
 *
 * @example
 * const mail = {
 *   key: variable.text('MAIL_KEY', { about: 'Key of the mail service', secret: true }),
 *   retries: variable.wholeNumber('MAIL_RETRIES', { about: 'Attempts after the first', most: 10, default: 3 }),
 *   timeoutMs: variable.duration('MAIL_TIMEOUT', { about: 'How long one attempt may take', default: 2000 }),
 *   from: variable.of('MAIL_FROM', v.pipe(v.string(), v.email()), { about: 'Sender', optional: true }),
 * }
 */
export const variable: {
  readonly text: Declare<string>
  /** From `least` (0) to `most`. */
  readonly wholeNumber: Declare<number, Bounds>
  readonly number: Declare<number, Bounds>
  /** `true` or `false`. */
  readonly flag: Declare<boolean>
  /** `500ms`, `2s`, `5m`, `1h`; a number alone is in `unit`, default seconds. The value, default and bounds are milliseconds. */
  readonly duration: Declare<number, Bounds & { readonly unit?: DurationUnit }>
  /** `512KiB`, `1MiB`, or a number of bytes. The value, default and bounds are bytes. */
  readonly bytes: Declare<number, Bounds>
  /** A JSON list of texts. */
  readonly list: Declare<readonly string[]>
  readonly oneOf: <const T extends string, Optional extends boolean = false>(
    name: string,
    choices: readonly T[],
    options: VariableOptions<NoInfer<T>, Optional> & { readonly aliases?: Readonly<Record<string, NoInfer<T>>> },
  ) => Variable<T, NoInfer<Optional>>
  /** By a Standard Schema that takes a text: valibot's, zod's, one of your own. */
  readonly of: <T, Optional extends boolean = false>(
    name: string,
    schema: Schema<string, T>,
    options: VariableOptions<NoInfer<T>, Optional>,
  ) => Variable<T, NoInfer<Optional>>
} = {
  text: (name, options) => declare(name, textReader, options),
  wholeNumber: (name, options) => declare(name, wholeNumberReader(options), options, ['least', 'most']),
  number: (name, options) => declare(name, numberReader(options), options, ['least', 'most']),
  flag: (name, options) => declare(name, flagReader, options),
  duration: (name, options) =>
    declare(name, durationReader(options, options.unit ?? 's'), options, ['least', 'most', 'unit']),
  bytes: (name, options) => declare(name, bytesReader(options), options, ['least', 'most']),
  list: (name, options) => declare(name, listReader, options),
  oneOf: (name, choices, options) => declare(name, choiceReader(choices, options.aliases), options, ['aliases']),
  of: (name, schema, options) => declare(name, schemaReader(schema, name), options),
}

const known = [
  'about',
  'secret',
  'default',
  'defaults',
  'optional',
  'requiredIn',
  'whenUnset',
  'expects',
  'check',
] as const satisfies readonly (keyof VariableOptions<unknown>)[]

function declare<T, Optional extends boolean>(
  name: string,
  reader: Reader<T>,
  options: VariableOptions<T, Optional>,
  more: readonly string[] = [],
): Variable<T, Optional> {
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw new BootError('bad_option', `'${name}' is no name of a variable: use letters, digits and _`)
  checkKeys(options, [...known, ...more], `The variable ${name}`)
  const ways = (['default', 'defaults', 'optional'] as const).filter((way) => options[way] !== undefined)
  if (ways.length > 1)
    throw new BootError('bad_option', `The variable ${name} has ${ways.join(' and ')}: keep one of them`)
  // `check` takes T, and T is what `reader` makes: the reading of a variable keeps the two together.
  return Object.freeze({ name, reader, options: options as VariableOptions<unknown> })
}
