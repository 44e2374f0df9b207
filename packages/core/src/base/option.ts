import {
  type Choice,
  createRule,
  finishRule,
  type Given,
  type OptionReading,
  type OptionRule,
  type OptionsOf,
  type OptionTable,
  type Presence,
  type Present,
  refuse,
} from './option-rule.ts'
import { readTable } from './options.ts'

/** Both inclusive. */
export interface Bounds {
  readonly min?: number
  readonly max?: number
}

interface StringOptions {
  /** What to write, after "must be": `a host name without port`. Default: a string that is not empty. */
  readonly expects?: string
  /** Is the string what `expects` says? Default: it is not empty. */
  readonly test?: (value: string) => boolean
}

interface ListOptions<T> {
  /** The rule of each entry. */
  readonly of: OptionRule<T | undefined>
  /** What to write, after "must be": `a list of host names`. */
  readonly expects: string
  /** Fewest entries. Default 0. */
  readonly min?: number
}

interface CustomOptions<T> {
  /** What to write, after "must be". */
  readonly expects: string
  readonly is: (value: unknown) => value is T
}

// Each rule has a signature, whose `D` and `R` decide whether the value may be undefined, and an implementation for all of them.

type NumberRule = <D extends number | undefined = undefined, R extends boolean = false>(
  options?: Bounds & Presence<D, R>,
) => OptionRule<Present<number, D, R>>

type NumberKind = 'integer' | 'number' | 'duration' | 'bytes'

const words: Readonly<Record<NumberKind, readonly [what: string, unit: string]>> = {
  integer: ['an integer', ''],
  number: ['a number', ''],
  duration: ['an integer', ' (milliseconds)'],
  bytes: ['an integer', ' (bytes)'],
}

function numberRule(kind: NumberKind, { min: lowest, max: highest }: Required<Bounds>): NumberRule {
  const [what, unit] = words[kind]
  function create<D extends number | undefined = undefined, R extends boolean = false>(
    options?: Bounds & Presence<D, R>,
  ): OptionRule<Present<number, D, R>>
  function create({ min = lowest, max = highest, ...presence }: Bounds & Given<number> = {}) {
    const isKind = kind === 'number' ? Number.isFinite : Number.isSafeInteger
    return createRule({
      form: { kind, min, max },
      expects: `${what}${toRange(min, max, String)}${unit}`,
      is: (value): value is number => typeof value === 'number' && isKind(value) && value >= min && value <= max,
      ...presence,
    })
  }
  return create
}

/** ` from 0 to 65535`, or nothing where there is no bound worth naming. */
export function toRange(min: number, max: number, show: (value: number) => string): string {
  const hasMin = min > -Number.MAX_VALUE
  const hasMax = max < Number.MAX_SAFE_INTEGER
  if (hasMin && hasMax) return ` from ${show(min)} to ${show(max)}`
  if (hasMax) return ` of at most ${show(max)}`
  return hasMin ? ` of at least ${show(min)}` : ''
}

function choice<const C extends Choice, D extends NoInfer<C> | undefined = undefined, R extends boolean = false>(
  choices: readonly C[],
  options?: Presence<D, R>,
): OptionRule<Present<C, D, R>>
function choice<C extends Choice>(choices: readonly C[], presence: Given<C> = {}) {
  const shown = choices.map((each) => (typeof each === 'string' ? `'${each}'` : String(each)))
  return createRule({
    form: { kind: 'choice', choices },
    expects: shown.length > 2 ? `one of ${shown.join(', ')}` : shown.join(' or '),
    is: (value): value is C => choices.some((each) => each === value),
    ...presence,
  })
}

function flag<D extends boolean | undefined = undefined, R extends boolean = false>(
  options?: Presence<D, R>,
): OptionRule<Present<boolean, D, R>>
function flag(presence: Given<boolean> = {}) {
  return createRule({
    form: { kind: 'flag' },
    expects: 'true or false',
    is: (value) => typeof value === 'boolean',
    ...presence,
  })
}

function string<D extends string | undefined = undefined, R extends boolean = false>(
  options?: StringOptions & Presence<D, R>,
): OptionRule<Present<string, D, R>>
function string({
  expects = 'a string that is not empty',
  test = (value) => value !== '',
  ...presence
}: StringOptions & Given<string> = {}) {
  return createRule({
    form: { kind: 'string' },
    expects,
    is: (value): value is string => typeof value === 'string' && test(value),
    ...presence,
  })
}

function list<T, const D extends readonly NoInfer<T>[] | undefined = undefined, R extends boolean = false>(
  options: ListOptions<T> & Presence<D, R>,
): OptionRule<Present<readonly T[], D, R>>
function list<T>({ of: entry, expects, min = 0, ...presence }: ListOptions<T> & Given<readonly T[]>) {
  const parts = { form: { kind: 'list' }, expects, ...presence } as const
  return finishRule<readonly T[]>(parts, (value) => {
    if (!Array.isArray(value) || value.length < min) return refuse(parts, value)
    const entries: T[] = []
    for (const [i, each] of value.entries()) {
      const reading = entry.read(each)
      const problem = reading.ok ? refuse(entry, each) : reading
      if (!reading.ok || reading.value === undefined)
        return { ...problem, at: `[${i}]${problem.at}`, received: presence.secret === true ? null : problem.received }
      entries.push(reading.value)
    }
    return { ok: true, value: entries }
  })
}

function object<const Table extends OptionTable>(rules: Table): OptionRule<OptionsOf<Table>> {
  const read = (value: unknown): OptionReading<OptionsOf<Table>> => readTable<Table>(value, rules)
  const ofNone = read({})
  return { form: { kind: 'other' }, expects: 'an object of options', unset: ofNone.ok ? ofNone : null, read }
}

function callback<F extends (...args: never) => unknown>(options: { readonly required: true }): OptionRule<F>
function callback<F extends (...args: never) => unknown>(): OptionRule<F | undefined>
function callback<F extends (...args: never) => unknown>(presence: Given<F> = {}) {
  return createRule({
    form: { kind: 'other' },
    expects: 'a function',
    is: (value): value is F => typeof value === 'function',
    ...presence,
  })
}

function custom<T, const D extends NoInfer<T> | undefined = undefined, R extends boolean = false>(
  options: CustomOptions<T> & Presence<D, R>,
): OptionRule<Present<T, D, R>>
function custom<T>(options: CustomOptions<T> & Given<T>) {
  return createRule({ form: { kind: 'other' }, ...options })
}

const isPlainPath = (value: unknown): value is `/${string}` =>
  typeof value === 'string' && /^(?:\/[\w.~-]+)+$/.test(value)

function path<const D extends `/${string}` | undefined = undefined, R extends boolean = false>(
  options?: Presence<D, R>,
): OptionRule<Present<`/${string}`, D, R>>
function path(presence: Given<`/${string}`> = {}) {
  const expects = "a path of letters, digits and -._~, such as '/health'"
  return createRule({ form: { kind: 'string' }, expects, is: isPlainPath, ...presence })
}

type AnyOf<Rules extends readonly OptionRule[]> =
  Rules[number] extends OptionRule<infer Value> ? Exclude<Value, undefined> : never

function anyOf<
  const Rules extends readonly OptionRule[],
  const D extends NoInfer<AnyOf<Rules>> | undefined = undefined,
  R extends boolean = false,
>(rules: Rules, options?: Presence<D, R>): OptionRule<Present<AnyOf<Rules>, D, R>>
function anyOf(rules: readonly OptionRule[], presence: Given<unknown> = {}) {
  const parts = {
    form: { kind: 'other' },
    expects: rules.map(({ expects }) => expects).join(' or '),
    ...presence,
  } as const
  return finishRule(parts, (value) => {
    const readings = rules.map((rule) => rule.read(value))
    const inside = readings.find((reading) => !reading.ok && reading.at !== '')
    return readings.find(({ ok }) => ok) ?? inside ?? refuse(parts, value)
  })
}

function unchecked<T>(): OptionRule<T | undefined> {
  return createRule({ form: { kind: 'other' }, expects: 'anything', is: (_): _ is T => true })
}

/**
 * Rules of options, for `checkOptions` and `variable.option`. `default` is the value of an option that is not set, `required: true` refuses
 * one; with neither it is undefined. `secret: true` keeps the value out of messages. Bounds are inclusive.
 *
 * @example
 * const rules = {
 *   attempts: option.integer({ min: 1, max: 10, default: 3 }),
 *   timeoutMs: option.duration({ min: 1, default: 5000 }),
 *   mode: option.choice(['fast', 'safe'], { default: 'safe' }),
 *   token: option.string({ required: true, secret: true }),
 *   hosts: option.list({ of: option.string(), expects: 'a list of host names', min: 1 }),
 *   onRetry: option.callback<(attempt: number) => void>(),
 * }
 * const { attempts, onRetry } = checkOptions('mail()', { token: 'abc', hosts: ['a'] }, rules) // 3, undefined
 */
export const option: {
  /** `min` 0, `max` the largest safe integer. */
  readonly integer: NumberRule
  /** Finite. No bounds by default. */
  readonly number: NumberRule
  /** Milliseconds, an integer. `min` 0, `max` a day (86,400,000). */
  readonly duration: NumberRule
  /** An integer. `min` 1, `max` the largest safe integer. */
  readonly bytes: NumberRule
  readonly choice: typeof choice
  readonly flag: typeof flag
  /** Not empty, unless `test` and `expects` say otherwise. */
  readonly string: typeof string
  /** A path without parameters, `/` at its start and not at its end. */
  readonly path: typeof path
  /** Each entry follows the rule `of`. */
  readonly list: typeof list
  /** Options within options: `breaker: option.object({ failures: option.integer({ min: 1, default: 5 }) })`. Not set, each has its default. */
  readonly object: typeof object
  /** A function: its type is not checked, only stated. */
  readonly callback: typeof callback
  /** Anything else, by a type guard. */
  readonly custom: typeof custom
  /** By the first of several rules that accepts it: `option.anyOf([option.choice([false]), option.integer({ min: 1 })])`. */
  readonly anyOf: typeof anyOf
  /** An option that is known here and checked elsewhere. */
  readonly unchecked: typeof unchecked
} = {
  integer: numberRule('integer', { min: 0, max: Number.MAX_SAFE_INTEGER }),
  number: numberRule('number', { min: -Number.MAX_VALUE, max: Number.MAX_VALUE }),
  duration: numberRule('duration', { min: 0, max: 86_400_000 }),
  bytes: numberRule('bytes', { min: 1, max: Number.MAX_SAFE_INTEGER }),
  choice,
  flag,
  string,
  path,
  list,
  object,
  callback,
  custom,
  anyOf,
  unchecked,
}
