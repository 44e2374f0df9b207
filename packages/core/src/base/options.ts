import { BootError } from './boot-error.ts'
import {
  type OptionProblem,
  type OptionReading,
  type OptionRule,
  type OptionsOf,
  type OptionTable,
  show,
} from './option-rule.ts'

/**
 * Checks the options of a function by a table of rules: refuses unknown ones, fills in defaults. An option that is undefined counts as not
 * set.
 *
 * @param owner - Whose options they are, as messages name it: `mail()`.
 * @param path - Where the options are among those of `owner`: `breaker`, for `mail({ breaker })`. Default: they are all of them.
 * @throws BootError `unknown_option` or `bad_option`, with the path of the option, what it must be and what was received:
 * `mail(): breaker.failures must be an integer of at least 1, received 0`.
 *
 * @example
 * interface MailOptions { readonly url: string; readonly retries?: number; readonly format?: 'text' | 'html' }
 * const rules = {
 *   url: option.string({ required: true, secret: true }),
 *   retries: option.integer({ max: 10, default: 3 }),
 *   format: option.choice(['text', 'html'], { default: 'text' }),
 * } satisfies OptionRules<MailOptions>
 *
 * const mail = (options: MailOptions) => {
 *   const { url, retries, format } = checkOptions('mail()', options, rules)
 * }
 */
export function checkOptions<const Table extends OptionTable>(
  owner: string,
  options: object,
  rules: Table,
  path = '',
): OptionsOf<Table> {
  const reading = readTable<Table>(options, rules)
  if (reading.ok) return reading.value
  throw toBootError(owner, path, reading)
}

/**
 * Checks one value by a rule.
 *
 * @throws BootError `bad_option`
 *
 * @example
 * const size = checkOption('pages()', 'maxSize', 50, option.integer({ min: 1, default: 100 }))
 */
export function checkOption<T>(owner: string, path: string, value: unknown, rule: OptionRule<T>): T {
  const reading = readOption(value, rule)
  if (reading.ok) return reading.value
  throw toBootError(owner, path, reading)
}

/**
 * An error about an option, in the words of `checkOptions`: for what a rule by itself cannot say.
 *
 * @param problem - Follows the name: `must be less than drainTimeoutMs (10000)`.
 * @param received - The value, unless it is a secret.
 *
 * @example
 * throw badOption('mail()', 'retryMs', `must be less than timeoutMs (${timeoutMs})`, retryMs)
 */
export function badOption(
  owner: string,
  path: string,
  problem: string,
  received?: unknown,
  cause?: unknown,
): BootError {
  const shown = received === undefined ? '' : `, received ${show(received)}`
  return new BootError('bad_option', `${owner}: ${path} ${problem}${shown}`, cause === undefined ? {} : { cause })
}

function toBootError(owner: string, path: string, { code, at, problem, received }: OptionProblem): BootError {
  const name = `${path}${at}`.replace(/^\./, '')
  const subject = name === '' ? '' : `${name} `
  return new BootError(code, `${owner}: ${subject}${problem}${received === null ? '' : `, received ${received}`}`)
}

function readOption<T>(value: unknown, rule: OptionRule<T>): OptionReading<T> {
  if (value !== undefined) return rule.read(value)
  if (rule.unset !== null) return { ok: true, value: rule.unset.value }
  const problem = `is required: set it to ${rule.expects}`
  return { ok: false, code: 'bad_option', at: '', problem, received: null }
}

/** The options of a table; the problem of the first that is wrong. */
export function readTable<Table extends OptionTable>(options: unknown, rules: Table): OptionReading<OptionsOf<Table>>
export function readTable(options: unknown, rules: OptionTable): OptionReading<Readonly<Record<string, unknown>>> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return { ok: false, code: 'bad_option', at: '', problem: 'must be an object of options', received: show(options) }
  }
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(rules, key))
  if (unknown !== undefined) return refuseUnknown(unknown, Object.keys(rules))
  const read: Record<string, unknown> = {}
  for (const [key, rule] of Object.entries(rules)) {
    const reading = readOption(Reflect.get(options, key), rule)
    if (!reading.ok) return { ...reading, at: `.${key}${reading.at}` }
    if (reading.value !== undefined) read[key] = reading.value
  }
  return { ok: true, value: read }
}

/** A mistyped option would be ignored in silence. */
function refuseUnknown(key: string, known: readonly string[]): OptionProblem {
  const near = findNear(key, known)
  const hint = near === null ? '' : ` Did you mean '${near}'?`
  const problem = `is not an option.${hint} Known options: ${known.join(', ') || 'none'}`
  return { ok: false, code: 'unknown_option', at: `.${key}`, problem, received: null }
}

/** The known name that differs by letter case or by at most two edits (a third of the name); null: none is near. */
function findNear(key: string, known: readonly string[]): string | null {
  const lower = key.toLowerCase()
  const limit = Math.min(2, Math.floor(key.length / 3))
  const near = known
    .map((name) => ({ name, distance: toDistance(lower, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
  return near[0]?.name ?? null
}

/** Edits (a letter more, less or other; two swapped) from one text to another. */
function toDistance(from: string, to: string): number {
  let before: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1
      let edits = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1)
      next.push(edits)
    }
    before = row
    row = next
  }
  return row[to.length] ?? 0
}
