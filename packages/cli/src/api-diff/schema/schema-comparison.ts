import { get, has, isEqual, listAt, type Node, nodeAt, textAt } from '../json.ts'
import { accepts, acceptsAlone } from './accepts.ts'
import { type Branch, branchTypes, isWholeIn, toBranches, valuesIn } from './branches.ts'
import { compareLists } from './compare-lists.ts'
import { compareObjects, remarksOn } from './compare-objects.ts'
import { compareNumbers, compareStrings } from './compare-scalars.ts'
import { listedValues, opaqueKeywords } from './keywords.ts'
import { compareOptions } from './options.ts'
import { type Reason, type ReasonKind, withoutRepeats } from './reason.ts'
import { SameSchemas } from './same.ts'
import { nothing, type SchemaSource } from './schema-source.ts'
import { TooComplex } from './too-complex.ts'
import { isWhole, type JsonType, toWords, typesOf } from './types.ts'
import { describeBranches, showValue, showValues } from './words.ts'

const maxSteps = 50_000
const maxDepth = 120

/** Of one direction: is every value of a schema of `from` one of a schema of `to`? */
export class SchemaComparison {
  readonly from: SchemaSource
  readonly to: SchemaSource
  /** Whether what the server says in words about a value counts: it does of inputs. */
  readonly notes: boolean
  readonly #same: SameSchemas
  readonly #ids = new Map<Node, number>()
  readonly #known = new Map<string, readonly Reason[]>()
  /** Pairs that are being compared, with their depth. */
  readonly #open = new Map<string, number>()
  /** The outermost open pair that was taken as fitting. */
  #assumed = Infinity
  #steps = 0
  /** Alternatives within alternatives, of the same value. */
  #onSpot = 0

  constructor(from: SchemaSource, to: SchemaSource, notes: boolean) {
    this.from = from
    this.to = to
    this.notes = notes
    this.#same = new SameSchemas(from, to)
  }

  /** Why not every value fits; nothing where it does. */
  run(from: Node, to: Node): readonly Reason[] {
    this.#steps = 0
    this.#onSpot = 0
    try {
      return this.compare([from], to)
    } catch (error) {
      if (!(error instanceof TooComplex)) throw error
      this.#open.clear()
      this.#assumed = Infinity
      return [this.reason('unclear', 'a schema', 'a schema with too many alternatives to compare')]
    }
  }

  /** A value meets all schemas of `from`. */
  compare(from: readonly Node[], to: Node): readonly Reason[] {
    if (from.some((each) => this.#same.test(each, to))) return []
    return [
      ...this.#compareOnce(
        from.map((each) => this.from.target(each)),
        this.to.target(to),
      ),
      ...remarksOn(from, to, this),
    ]
  }

  #compareOnce(from: readonly Node[], to: Node): readonly Reason[] {
    if (this.#open.size > maxDepth || ++this.#steps > maxSteps) throw new TooComplex()
    const id = `${from
      .map((each) => this.#idOf(each))
      .toSorted()
      .join()}|${this.#idOf(to)}`
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const open = this.#open.get(id)
    if (open !== undefined) {
      this.#assumed = Math.min(this.#assumed, open)
      return []
    }
    const depth = this.#open.size
    const outer = this.#assumed
    this.#assumed = Infinity
    this.#open.set(id, depth)
    const branches = toBranches(from, this.from)
    const reasons = withoutRepeats(
      branches
        .flatMap((branch) => this.#compareBranch(branch, to))
        .map((each) => (isOfWhole(each) ? { ...each, from: describeBranches(branches) } : each)),
    )
    this.#open.delete(id)
    // What rests on an outer pair is known only once that is.
    if (this.#assumed >= depth) this.#known.set(id, reasons)
    this.#assumed = Math.min(outer, this.#assumed >= depth ? Infinity : this.#assumed)
    return reasons
  }

  reason(kind: ReasonKind, from: string, to: string, key: string | null = null): Reason {
    return { kind, at: [], key, from, to }
  }

  /** What a schema of `to` describes, for messages. */
  describe(to: Node): string {
    try {
      return describeBranches(toBranches([to], this.to))
    } catch (error) {
      if (error instanceof TooComplex) return 'a schema'
      throw error
    }
  }

  #compareBranch(branch: Branch, to: Node): readonly Reason[] {
    const values = valuesIn(branch)
    if (values !== null) {
      const real = values.filter((value) => branch.every((node) => acceptsAlone(node, value) !== false))
      return real.flatMap((value) => this.#compareValue(value, to))
    }
    return branchTypes(branch).flatMap((type) => this.compareTyped(branch, type, to))
  }

  #compareValue(value: unknown, to: Node): readonly Reason[] {
    const verdict = accepts(to, value, this.to)
    if (verdict === true) return []
    const kind = verdict === null ? 'unclear' : 'value'
    return [this.reason(kind, showValue(value), this.describe(to))]
  }

  /** Values of one type. */
  compareTyped(branch: Branch, type: JsonType, to: Node): readonly Reason[] {
    if (++this.#steps > maxSteps || this.#onSpot > maxDepth) throw new TooComplex()
    this.#onSpot++
    const demands = this.#demandsOf(to)
    const reasons = [...demands].flatMap((node) => [
      ...this.#compareKeywords(branch, type, node),
      ...(has(node, 'anyOf')
        ? compareOptions({ branch, type, options: listAt(node, 'anyOf'), isOne: false }, this)
        : []),
      ...(has(node, 'oneOf')
        ? compareOptions({ branch, type, options: listAt(node, 'oneOf'), isOne: true }, this)
        : []),
      ...(has(node, 'not') ? this.#compareNot(branch, node) : []),
    ])
    this.#onSpot--
    if (!reasons.some(({ kind }) => kind === 'key')) return reasons
    // A key that one of several schemas does not name may be one of another.
    const named = this.#namesOf(demands)
    return reasons.filter(({ kind, at, key }) => kind !== 'key' || at.length > 0 || key === null || !named.has(key))
  }

  #namesOf(demands: ReadonlySet<Node>): ReadonlySet<string> {
    const options = [...demands].flatMap((node) => [...listAt(node, 'anyOf'), ...listAt(node, 'oneOf')])
    const all = [...demands, ...options.flatMap((each) => [...this.#demandsOf(this.to.toSchema(each))])]
    return new Set(all.flatMap((node) => Object.keys(nodeAt(node, 'properties'))))
  }

  /** The schema, and all that it demands by `$ref` and `allOf`. */
  #demandsOf(to: Node): ReadonlySet<Node> {
    const found = new Set([to])
    for (const node of found) {
      if (has(node, '$ref')) found.add(this.to.schemaAt(textAt(node, '$ref')))
      for (const each of listAt(node, 'allOf')) found.add(this.to.toSchema(each))
    }
    return found
  }

  #compareKeywords(branch: Branch, type: JsonType, to: Node): readonly Reason[] {
    const types = typesOf(to)
    if (!types.includes(type)) return [this.#typeReason(branch, to)]
    const listed = listedValues(to)
    if (listed !== null) return this.#compareWithList(branch, type, listed, to)
    const compared = this.#compareByType(branch, type, to)
    const opaque = opaqueKeywords(to, this.notes).filter(
      (keyword) => !branch.some((node) => isEqual(get(node, keyword), get(to, keyword))),
    )
    return [
      ...compared,
      ...opaque.filter((keyword) => concerns(keyword, type)).map((keyword) => this.#opaqueReason(keyword, branch, to)),
    ]
  }

  #compareByType(branch: Branch, type: JsonType, to: Node): readonly Reason[] {
    if (type === 'string') return compareStrings(branch, to, this)
    if (type === 'array') return compareLists(branch, to, this)
    if (type === 'object') return compareObjects(branch, to, this)
    if (type !== 'number') return []
    return isWhole(to) && !isWholeIn(branch) ? [this.#typeReason(branch, to)] : compareNumbers(branch, to, this)
  }

  #typeReason(branch: Branch, to: Node): Reason {
    return this.reason('type', describeBranches([branch]), this.describe(to))
  }

  #compareWithList(branch: Branch, type: JsonType, listed: readonly unknown[], to: Node): readonly Reason[] {
    const all = type === 'null' ? [null] : type === 'boolean' ? [true, false] : null
    if (all === null) return [this.reason('value', toWords([type], isWholeIn(branch)), `only ${showValues(listed)}`)]
    return all
      .filter((value) => !listed.some((each) => isEqual(each, value)))
      .flatMap((value) => this.#compareValue(value, to))
  }

  #opaqueReason(keyword: string, branch: Branch, to: Node): Reason {
    const before = branch.find((node) => has(node, keyword))
    const kind = keyword === 'format' ? 'format' : 'check'
    const show = (value: unknown): string => (typeof value === 'string' ? value : showValue(value))
    const name = keyword === 'x-note' || keyword === 'format' ? '' : `${keyword} `
    return this.reason(
      kind,
      before === undefined ? 'none' : `${name}${show(get(before, keyword))}`,
      `${name}${show(get(to, keyword))}`,
      keyword,
    )
  }

  #compareNot(branch: Branch, to: Node): readonly Reason[] {
    const not = this.to.toSchema(get(to, 'not'))
    const isNever = Object.keys(not).length === 0
    if (isNever) return [this.reason('type', describeBranches([branch]), 'nothing')]
    if (branch.some((node) => has(node, 'not') && this.#same.test(this.from.toSchema(get(node, 'not')), not))) return []
    const listed = listedValues(not)
    const excluded = branch.flatMap((node) => listedValues(this.from.toSchema(get(node, 'not') ?? nothing)) ?? [])
    if (listed === null) return [this.reason('check', 'none', `not ${this.describe(not)}`)]
    return listed
      .filter((value) => !excluded.some((each) => isEqual(each, value)))
      .filter((value) => branch.every((node) => acceptsAlone(node, value) !== false))
      .map((value) => this.reason('value', showValue(value), `anything but ${showValues(listed)}`))
  }

  #idOf(node: Node): number {
    const known = this.#ids.get(node)
    if (known !== undefined) return known
    this.#ids.set(node, this.#ids.size)
    return this.#ids.size - 1
  }
}

/** That text or null was text is said of both, not of null alone. */
function isOfWhole({ kind, at }: Reason): boolean {
  return kind === 'type' && at.length === 0
}

/** `format` is about text. */
function concerns(keyword: string, type: JsonType): boolean {
  if (keyword === 'format' || keyword.startsWith('content')) return type === 'string'
  if (/contains/i.test(keyword) || keyword === 'unevaluatedItems') return type === 'array'
  return !/^(?:depend|propertyNames|unevaluatedProperties)/.test(keyword) || type === 'object'
}
