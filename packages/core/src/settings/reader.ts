/** What became of the text of a variable. `message` follows the variable's name and never holds the value. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string }

/** Turns the text of an environment variable into a value, strictly. */
export interface Reader<out T> {
  /** What the text has to be, for people: `a whole number from 0 to 65535`. */
  readonly expects: string
  read(text: string): Reading<T>
  /** The text that reads as `value`, for documents. */
  show(value: T): string
}

export const failed = (message: string): { readonly ok: false; readonly message: string } => ({ ok: false, message })

/** A reader for texts that are either right or not. The value is not told back: it may be a credential in the wrong place. */
export function createReader<T>(
  expects: string,
  parse: (text: string) => T | undefined,
  show: (value: T) => string = String,
): Reader<T> {
  return {
    expects,
    show,
    read(text) {
      const value = parse(text)
      return value === undefined ? failed(`must be ${expects}`) : { ok: true, value }
    },
  }
}

export const textReader: Reader<string> = createReader('a text', (text) => text)

export const flagReader: Reader<boolean> = createReader('true or false', (text) =>
  text === 'true' ? true : text === 'false' ? false : undefined,
)

export interface Bounds {
  readonly least?: number
  readonly most?: number
}

export function wholeNumberReader({ least = 0, most = Number.MAX_SAFE_INTEGER }: Bounds): Reader<number> {
  const expects = `a whole number${range(least, most, String)}`
  return createReader(expects, (text) =>
    /^(?:0|-?[1-9]\d{0,15})$/.test(text) ? within(Number(text), least, most) : undefined,
  )
}

export function numberReader({ least = -Number.MAX_VALUE, most = Number.MAX_VALUE }: Bounds): Reader<number> {
  const expects = `a number${range(least, most, String)}`
  return createReader(expects, (text) =>
    /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,16})?$/.test(text) ? within(Number(text), least, most) : undefined,
  )
}

export function within(value: number, least: number, most: number): number | undefined {
  return value >= least && value <= most ? value : undefined
}

/** ` from 0 to 65535`, or nothing where there is no bound worth naming. */
export function range(least: number, most: number, show: (value: number) => string): string {
  const hasLeast = least > -Number.MAX_VALUE
  const hasMost = most < Number.MAX_SAFE_INTEGER
  if (hasLeast && hasMost) return ` from ${show(least)} to ${show(most)}`
  if (hasMost) return ` up to ${show(most)}`
  return hasLeast ? ` from ${show(least)}` : ''
}

/** One of these words; an alias stands for one of them. */
export function choiceReader<const T extends string>(
  choices: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): Reader<T> {
  return createReader(`one of ${choices.join(', ')}`, (text) =>
    Object.hasOwn(aliases, text) ? aliases[text] : choices.find((choice) => choice === text),
  )
}

export const listReader: Reader<readonly string[]> = createReader(
  'a JSON list of texts, such as ["a","b"]',
  parseList,
  (value) => JSON.stringify(value),
)

function parseList(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value)) return undefined
    const items = value.filter((item): item is string => typeof item === 'string' && item !== '')
    return items.length === value.length ? items : undefined
  } catch {
    return undefined
  }
}
