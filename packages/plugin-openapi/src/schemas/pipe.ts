import { type Json, type Node, noted, toJson } from './node.ts'
import { escapeText, toPattern } from './pattern.ts'

/** What validations of a pipe are in JSON Schema. */
export interface PipeActions {
  /** Those that the converter knows. */
  readonly kept: readonly Node[]
  readonly keywords: Json
}

/** Transformations that change no value. */
export const unchanging: ReadonlySet<unknown> = new Set(['brand', 'flavor', 'readonly'])

/** By the types of schemas for which the converter knows a validation. */
const known: Readonly<Record<string, readonly string[]>> = {
  number: [
    'gt_value',
    'integer',
    'lt_value',
    'max_value',
    'min_value',
    'safe_integer',
    'value',
    'values',
    'not_value',
    'not_values',
  ],
  string: ['empty', 'length', 'max_length', 'min_length', 'non_empty', 'value', 'values', 'not_value', 'not_values'],
  array: ['empty', 'length', 'max_length', 'min_length', 'non_empty'],
  boolean: ['value', 'not_value'],
  entries: ['entries', 'max_entries', 'min_entries'],
}
/** What they require is in their name. */
const bare = new Set(['empty', 'integer', 'non_empty', 'safe_integer'])
/** Not of `object`: it drops other keys before they are counted. */
const groups: Readonly<Record<string, string>> = {
  strict_object: 'entries',
  loose_object: 'entries',
  object_with_rest: 'entries',
  record: 'entries',
}

/** Formats say more than a pattern to generators; a validator may ignore them. */
const formats: Readonly<Record<string, string>> = {
  email: 'email',
  rfc_email: 'email',
  ipv4: 'ipv4',
  ipv6: 'ipv6',
  iso_date: 'date',
  uuid: 'uuid',
  url: 'uri',
}

/** Collects the validations behind the schema of the type `base`, in their order. */
export class PipeReader {
  readonly #base: string
  readonly #kept: Node[] = []
  readonly #patterns: string[] = []
  readonly #multiples: number[] = []
  readonly #unsaid: string[] = []
  #annotations: Json = {}

  constructor(base: string) {
    this.#base = groups[base] ?? base
  }

  /** What the server does besides: in a note. */
  note(text: string): void {
    if (!this.#unsaid.includes(text)) this.#unsaid.push(text)
  }

  metadata(action: Node, takesExamples: boolean): void {
    if (action['type'] === 'examples' || action['type'] === 'metadata') {
      if (takesExamples || action['type'] === 'metadata') this.#kept.push(toJsonAction(action))
    } else if (action['type'] === 'title' || action['type'] === 'description') this.#kept.push(action)
  }

  validation(action: Node): void {
    const { type, requirement, message } = action
    const name = String(type)
    if (name === 'finite') return
    const format = formats[name]
    if (format !== undefined && this.#base === 'string') this.#annotations = { ...this.#annotations, format }
    if (name === 'base64') this.#annotations = { ...this.#annotations, contentEncoding: 'base64' }
    const pattern = this.#base === 'string' ? toTextPattern(name, requirement) : null
    if (pattern !== null) this.#patterns.push(pattern)
    else if (name === 'multiple_of' && typeof requirement === 'number') this.#multiples.push(requirement)
    else if (known[this.#base]?.includes(name) === true && (bare.has(name) || isPlain(requirement)))
      this.#kept.push(action)
    else this.note(typeof message === 'string' ? `${name} (${message})` : name)
  }

  read(): PipeActions {
    const [pattern, ...patterns] = this.#patterns
    const [multipleOf, ...multiples] = this.#multiples
    const allOf = [...patterns.map((each) => ({ pattern: each })), ...multiples.map((each) => ({ multipleOf: each }))]
    return {
      kept: this.#kept,
      keywords: {
        ...this.#annotations,
        ...(pattern !== undefined && { pattern }),
        ...(multipleOf !== undefined && { multipleOf }),
        ...(allOf.length > 0 && { allOf }),
        ...(this.#unsaid.length > 0 && noted(`The server also applies: ${this.#unsaid.join(', ')}`)),
      },
    }
  }
}

function toTextPattern(name: string, requirement: unknown): string | null {
  if (requirement instanceof RegExp) return toPattern(requirement)
  if (typeof requirement !== 'string') return null
  if (name === 'starts_with') return `^${escapeText(requirement)}`
  if (name === 'ends_with') return `${escapeText(requirement)}$`
  return name === 'includes' ? escapeText(requirement) : null
}

function isPlain(requirement: unknown): boolean {
  if (Array.isArray(requirement)) return requirement.every(isPlain)
  return requirement === undefined || ['string', 'boolean'].includes(typeof requirement) || Number.isFinite(requirement)
}

/** Examples may have dates and bigints. */
function toJsonAction(action: Node): Node {
  const { type, examples, metadata } = action
  return type === 'examples' ? { ...action, examples: toJson(examples) } : { ...action, metadata: toJson(metadata) }
}
