import { toRange } from '../base/option.ts'
import type { OptionForm, OptionRule } from '../base/option-rule.ts'
import { failed, type Reader } from './reader.ts'

const milliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const unitNames = { ms: 'milliseconds', s: 'seconds', m: 'minutes', h: 'hours', d: 'days' } as const
const byteUnits = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

export type DurationUnit = keyof typeof milliseconds

/** How a variable is written, other than the value of an option. */
export interface TextOptions {
  /** Unit of a duration without one. Default `s`. */
  readonly unit?: DurationUnit
  /** Other words for a choice. */
  readonly aliases?: Readonly<Record<string, string>>
}

/** How values of one kind of option are written as strings. */
interface Notation {
  readonly expects: string
  /** Returns undefined if the string has another form. */
  readonly parse: (text: string) => unknown
  readonly show: (value: unknown) => string
}

/** Reads a string with the rule of an option. Messages never contain the value: it may be a credential in the wrong variable. */
export function ruleReader<T>(rule: OptionRule<T | undefined>, options: TextOptions): Reader<T> {
  const { expects, parse, show } = toNotation(rule, options)
  return {
    expects,
    show,
    read(text) {
      const value = parse(text)
      if (value === undefined) return failed(`must be ${expects}`)
      const reading = rule.read(value)
      if (reading.ok && reading.value !== undefined) return { ok: true, value: reading.value }
      if (reading.ok || reading.at === '') return failed(`must be ${expects}`)
      const entry = reading.at.replace(/^\[(\d+)\]/, (_, index) => String(Number(index) + 1))
      return { ...failed(`entry ${entry} ${reading.problem}`), ofEntry: true }
    },
  }
}

function toNotation({ form, expects }: OptionRule, { unit = 's', aliases = {} }: TextOptions): Notation {
  switch (form.kind) {
    case 'integer':
      return { expects, show: String, parse: (text) => toNumber(text, /^(?:0|-?[1-9]\d{0,15})$/) }
    case 'number':
      return { expects, show: String, parse: (text) => toNumber(text, /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,16})?$/) }
    case 'duration':
      return withUnits(form, milliseconds, unit, 'a duration', `500ms, 2s or 5m; a number alone is ${unitNames[unit]}`)
    case 'bytes':
      return withUnits(form, byteUnits, 'B', 'a size', '512KiB or 1MiB; a number alone is bytes')
    case 'choice':
      return ofChoices(form.choices.map(String), form.choices, aliases)
    case 'flag':
      return ofChoices(['true', 'false'], [true, false], {}, expects)
    case 'list':
      return {
        expects: expects.replace(/^a list/, 'a JSON list'),
        show: (value) => JSON.stringify(value),
        parse: toList,
      }
    default:
      return { expects, show: String, parse: (text) => text }
  }
}

const toNumber = (text: string, pattern: RegExp): number | undefined => (pattern.test(text) ? Number(text) : undefined)

function ofChoices(
  words: readonly string[],
  values: readonly unknown[],
  aliases: Readonly<Record<string, string>>,
  expects = `one of ${words.join(', ')}`,
): Notation {
  return {
    expects,
    show: String,
    parse: (text) => values[words.indexOf(Object.hasOwn(aliases, text) ? (aliases[text] ?? text) : text)],
  }
}

function withUnits<Unit extends string>(
  { min, max }: Extract<OptionForm, { min: number }>,
  units: Readonly<Record<Unit, number>>,
  plain: NoInfer<Unit>,
  what: string,
  examples: string,
): Notation {
  const show = (value: unknown): string => showIn(Number(value), units)
  return {
    expects: `${what}${toRange(min, max, show)} (such as ${examples})`,
    show,
    parse(text) {
      const [, digits = '', unit = plain] = /^((?:0|[1-9]\d{0,14})(?:\.\d{1,3})?)([A-Za-z]+)?$/.exec(text) ?? []
      return digits === '' || !isUnit(unit, units) ? undefined : Number(digits) * units[unit]
    },
  }
}

function isUnit<Unit extends string>(text: string, units: Readonly<Record<Unit, number>>): text is Unit {
  return Object.hasOwn(units, text)
}

/** In the largest unit that divides it. */
function showIn(value: number, units: Readonly<Record<string, number>>): string {
  const [unit, size] = Object.entries(units).findLast(([, each]) => value % each === 0 && value >= each) ??
    Object.entries(units)[0] ?? ['', 1]
  return `${value / size}${unit}`
}

function toList(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
