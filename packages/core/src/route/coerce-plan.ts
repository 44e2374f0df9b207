import { toBigint, toBoolean, toDate, toInteger, toNumber } from './numerals.ts'

type Scalar = number | bigint | boolean

/** The types that one value may have, as far as a string can express them. Read from a schema at boot. */
export interface ValuePlan {
  /** Any string is valid, so a string is not converted. */
  readonly anyString: boolean
  /** Strings that are valid by themselves. */
  readonly strings: ReadonlySet<string>
  readonly number: boolean
  /** An integer: only `http.params` requires this. */
  readonly int: boolean
  readonly bigint: boolean
  readonly boolean: boolean
  readonly date: boolean
  /** Numbers, bigints and booleans that are valid by themselves. */
  readonly literals: ReadonlySet<Scalar>
  readonly list: ListPlan | null
}

/** The types of the items of an array: the first ones by position, all others by `rest`. */
export interface ListPlan {
  readonly items: readonly ValuePlan[]
  readonly rest: ValuePlan
}

type UnknownKeys = 'dropped' | 'rejected' | 'kept'

/** The types of the values of an input, by key. */
export interface RecordPlan {
  readonly entries: ReadonlyMap<string, ValuePlan>
  /** All other keys; null where nothing is known about them. */
  readonly rest: ValuePlan | null
  /** What the schema does with a key that has no entry. `kept` also where that is not known. */
  readonly unknownKeys: UnknownKeys
  /** An input with a key that determines the types of the others. */
  readonly variants: { readonly key: string; readonly options: readonly RecordPlan[] } | null
}

/** No string is valid: every string stays as it is, and the schema rejects it. */
export const noString: ValuePlan = Object.freeze({
  anyString: false,
  strings: new Set<string>(),
  number: false,
  int: false,
  bigint: false,
  boolean: false,
  date: false,
  literals: new Set<Scalar>(),
  list: null,
})
/** Any string is valid. */
export const anyString: ValuePlan = Object.freeze({ ...noString, anyString: true })
export const noEntries: RecordPlan = Object.freeze({
  entries: new Map<string, ValuePlan>(),
  rest: null,
  unknownKeys: 'kept',
  variants: null,
})

/** One valid value: a literal, an option of a picklist. */
export function exactly(value: unknown): ValuePlan {
  if (typeof value === 'string') return { ...noString, strings: new Set([value]) }
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') return noString
  return { ...noString, literals: new Set([value]) }
}

/** A value that is valid by one of two plans. */
export function either(a: ValuePlan, b: ValuePlan): ValuePlan {
  if (a === noString) return b
  if (b === noString) return a
  return {
    anyString: a.anyString || b.anyString,
    strings: new Set([...a.strings, ...b.strings]),
    number: a.number || b.number,
    int: a.int || b.int,
    bigint: a.bigint || b.bigint,
    boolean: a.boolean || b.boolean,
    date: a.date || b.date,
    literals: new Set([...a.literals, ...b.literals]),
    list: a.list === null ? b.list : b.list === null ? a.list : eitherList(a.list, b.list),
  }
}

/** A value that is valid by two plans: one that accepts any string does not restrict the other. */
export function both(a: ValuePlan, b: ValuePlan): ValuePlan {
  if (a.anyString) return b
  return b.anyString ? a : either(a, b)
}

function eitherList(a: ListPlan, b: ListPlan): ListPlan {
  const length = Math.max(a.items.length, b.items.length)
  const items = Array.from({ length }, (_, index) => either(itemOf(a, index), itemOf(b, index)))
  return { items, rest: either(a.rest, b.rest) }
}

function itemOf(list: ListPlan, index: number): ValuePlan {
  return list.items[index] ?? list.rest
}

/** Merges the plans of two records, each key by `join`; a key that only one has keeps its plan. */
export function joinRecords(a: RecordPlan, b: RecordPlan, join: (a: ValuePlan, b: ValuePlan) => ValuePlan): RecordPlan {
  const entries = new Map<string, ValuePlan>()
  for (const key of [...a.entries.keys(), ...b.entries.keys()]) {
    const [one, other] = [planOf(a, key), planOf(b, key)]
    entries.set(key, one === null ? (other ?? noString) : other === null ? one : join(one, other))
  }
  const rest = a.rest === null ? b.rest : b.rest === null ? a.rest : join(a.rest, b.rest)
  return { entries, rest, unknownKeys: joinUnknownKeys(a.unknownKeys, b.unknownKeys, join === both), variants: null }
}

/** If both schemas must match, one is enough to reject a key; if one of them must match, one is enough to keep it. */
function joinUnknownKeys(a: UnknownKeys, b: UnknownKeys, bothHold: boolean): UnknownKeys {
  if (a === b) return a
  const order: readonly UnknownKeys[] = bothHold ? ['rejected', 'kept'] : ['kept', 'rejected']
  return order.find((each) => each === a || each === b) ?? a
}

function planOf(plan: RecordPlan, key: string): ValuePlan | null {
  return plan.entries.get(key) ?? plan.rest
}

/** The plan of the variant of this record. */
export function chooseVariant(plan: RecordPlan, record: Readonly<Record<string, unknown>>): RecordPlan {
  if (plan.variants === null) return plan
  const { key, options } = plan.variants
  const text = record[key]
  if (typeof text !== 'string') return plan
  const fitting = options.filter((option) => isExact(option.entries.get(key) ?? noString, text))
  const [only] = fitting
  return only === undefined || fitting.length > 1 ? plan : chooseVariant(only, record)
}

function isExact(plan: ValuePlan, text: string): boolean {
  return (
    !plan.anyString && (plan.strings.has(text) || readScalar({ ...noString, literals: plan.literals }, text) !== text)
  )
}

/**
 * Converts a string, or the strings of a repeated key, by this plan. What cannot be converted stays as it is, so that the schema
 * rejects it with its own message. A scalar takes precedence over a list of one item.
 */
export function applyPlan(plan: ValuePlan, value: string | readonly string[]): unknown {
  if (typeof value !== 'string') {
    const { list } = plan
    return list === null ? value : value.map((text, index) => readScalar(itemOf(list, index), text))
  }
  const scalar = readScalar(plan, value)
  if (scalar !== value || plan.list === null || plan.anyString || plan.strings.has(value)) return scalar
  return [readScalar(itemOf(plan.list, 0), value)]
}

function readScalar(plan: ValuePlan, text: string): string | Scalar | Date {
  if (plan.anyString || plan.strings.has(text)) return text
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
