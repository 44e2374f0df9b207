import { toBigint, toBoolean, toDate, toInteger, toNumber } from './numerals.ts'

type Scalar = number | bigint | boolean

/** What one value may be, as far as a text can say it. Read from a schema at boot. */
export interface ValuePlan {
  /** Any text is admitted, so a text is left alone. */
  readonly text: boolean
  /** Texts admitted one by one. */
  readonly texts: ReadonlySet<string>
  readonly number: boolean
  /** A number, but only as a whole numeral: `http.params` alone says this. */
  readonly int: boolean
  readonly bigint: boolean
  readonly boolean: boolean
  readonly date: boolean
  /** Numbers, bigints and booleans admitted one by one. */
  readonly literals: ReadonlySet<Scalar>
  readonly list: ListPlan | null
}

/** What the items of an array may be: the first ones by their place, all others by `rest`. */
export interface ListPlan {
  readonly items: readonly ValuePlan[]
  readonly rest: ValuePlan
}

type UnknownKeys = 'dropped' | 'refused' | 'kept'

/** What the values of an input may be, by key. */
export interface RecordPlan {
  readonly entries: ReadonlyMap<string, ValuePlan>
  /** All other keys; null where nothing is known of them. */
  readonly rest: ValuePlan | null
  /** What the schema does with a key that has no entry. `kept` is also what holds where that is not known. */
  readonly unknownKeys: UnknownKeys
  /** An input of which one key says what the others are. */
  readonly variants: { readonly key: string; readonly options: readonly RecordPlan[] } | null
}

/** Admits nothing that a text can say: every text stays, for the schema to refuse. */
export const nothing: ValuePlan = Object.freeze({
  text: false,
  texts: new Set<string>(),
  number: false,
  int: false,
  bigint: false,
  boolean: false,
  date: false,
  literals: new Set<Scalar>(),
  list: null,
})
/** Admits any text. */
export const anyText: ValuePlan = Object.freeze({ ...nothing, text: true })
export const noEntries: RecordPlan = Object.freeze({
  entries: new Map<string, ValuePlan>(),
  rest: null,
  unknownKeys: 'kept',
  variants: null,
})

/** One value of its own: a literal, an option of a picklist. */
export function exactly(value: unknown): ValuePlan {
  if (typeof value === 'string') return { ...nothing, texts: new Set([value]) }
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') return nothing
  return { ...nothing, literals: new Set([value]) }
}

/** A value that either admits. */
export function either(a: ValuePlan, b: ValuePlan): ValuePlan {
  if (a === nothing) return b
  if (b === nothing) return a
  return {
    text: a.text || b.text,
    texts: new Set([...a.texts, ...b.texts]),
    number: a.number || b.number,
    int: a.int || b.int,
    bigint: a.bigint || b.bigint,
    boolean: a.boolean || b.boolean,
    date: a.date || b.date,
    literals: new Set([...a.literals, ...b.literals]),
    list: a.list === null ? b.list : b.list === null ? a.list : eitherList(a.list, b.list),
  }
}

/** A value that both admit: the one that admits any text says nothing about the other. */
export function both(a: ValuePlan, b: ValuePlan): ValuePlan {
  if (a.text) return b
  return b.text ? a : either(a, b)
}

function eitherList(a: ListPlan, b: ListPlan): ListPlan {
  const length = Math.max(a.items.length, b.items.length)
  const items = Array.from({ length }, (_, index) => either(itemOf(a, index), itemOf(b, index)))
  return { items, rest: either(a.rest, b.rest) }
}

function itemOf(list: ListPlan, index: number): ValuePlan {
  return list.items[index] ?? list.rest
}

/** Two records' plans in one, each key by `join`; a key that only one has is as that one says. */
export function joinRecords(a: RecordPlan, b: RecordPlan, join: (a: ValuePlan, b: ValuePlan) => ValuePlan): RecordPlan {
  const entries = new Map<string, ValuePlan>()
  for (const key of [...a.entries.keys(), ...b.entries.keys()]) {
    const [one, other] = [planOf(a, key), planOf(b, key)]
    entries.set(key, one === null ? (other ?? nothing) : other === null ? one : join(one, other))
  }
  const rest = a.rest === null ? b.rest : b.rest === null ? a.rest : join(a.rest, b.rest)
  return { entries, rest, unknownKeys: joinUnknownKeys(a.unknownKeys, b.unknownKeys, join === both), variants: null }
}

/** Of two schemas that both must hold, one is enough to refuse a key; of two that one of must hold, one is enough to keep it. */
function joinUnknownKeys(a: UnknownKeys, b: UnknownKeys, bothHold: boolean): UnknownKeys {
  if (a === b) return a
  const order: readonly UnknownKeys[] = bothHold ? ['refused', 'kept'] : ['kept', 'refused']
  return order.find((each) => each === a || each === b) ?? a
}

function planOf(plan: RecordPlan, key: string): ValuePlan | null {
  return plan.entries.get(key) ?? plan.rest
}

/** The plan of a record that holds these texts. */
export function chooseVariant(plan: RecordPlan, record: Readonly<Record<string, unknown>>): RecordPlan {
  if (plan.variants === null) return plan
  const { key, options } = plan.variants
  const text = record[key]
  if (typeof text !== 'string') return plan
  const fitting = options.filter((option) => isExact(option.entries.get(key) ?? nothing, text))
  const [only] = fitting
  return only === undefined || fitting.length > 1 ? plan : chooseVariant(only, record)
}

function isExact(plan: ValuePlan, text: string): boolean {
  return !plan.text && (plan.texts.has(text) || readScalar({ ...nothing, literals: plan.literals }, text) !== text)
}

/**
 * What a text, or the texts of a repeated key, is by this plan. What it cannot be stays as it is, so that the schema
 * refuses it in its own words. A scalar goes before a list of one.
 */
export function applyPlan(plan: ValuePlan, value: string | readonly string[]): unknown {
  if (typeof value !== 'string') {
    const { list } = plan
    return list === null ? value : value.map((text, index) => readScalar(itemOf(list, index), text))
  }
  const scalar = readScalar(plan, value)
  if (scalar !== value || plan.list === null || plan.text || plan.texts.has(value)) return scalar
  return [readScalar(itemOf(plan.list, 0), value)]
}

function readScalar(plan: ValuePlan, text: string): string | Scalar | Date {
  if (plan.text || plan.texts.has(text)) return text
  const { literals } = plan
  if (plan.int) {
    const value = toInteger(text)
    if (value !== undefined) return value
  }
  if (plan.number || literals.size > 0) {
    const value = toNumber(text)
    if (value !== undefined && (plan.number || literals.has(value))) return value
  }
  if (plan.bigint || literals.size > 0) {
    const value = toBigint(text)
    if (value !== undefined && (plan.bigint || literals.has(value))) return value
  }
  if (plan.boolean || literals.size > 0) {
    const value = toBoolean(text)
    if (value !== undefined && (plan.boolean || literals.has(value))) return value
  }
  return plan.date ? (toDate(text) ?? text) : text
}
