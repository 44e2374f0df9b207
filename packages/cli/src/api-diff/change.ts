import { type Rule, rules, type Severity } from './rules.ts'

export type Wire = 'http' | 'websocket'

/** One difference, as it is reported. */
export interface Change {
  /** Stable as long as the difference is the same: what `--allow` takes. */
  readonly id: string
  readonly rule: Rule
  readonly severity: Severity
  readonly wire: Wire
  /** `POST /authors`, `CREATE_AUTHOR (3)`, `subscribe`. */
  readonly where: string
  /** `body.country`; empty where the change is about the whole. */
  readonly at: string
  readonly message: string
}

/** Collects the changes of one wire, each once. */
export class Changes {
  readonly wire: Wire
  readonly #changes = new Map<string, Change>()

  constructor(wire: Wire) {
    this.wire = wire
  }

  add(rule: Rule, where: string, at: string, message: string): void {
    const id = clean(`${rule} ${where}${at === '' ? '' : ` ${at}`}`)
    const change = {
      id,
      rule,
      severity: rules[rule],
      wire: this.wire,
      where: clean(where),
      at: clean(at),
      message: clean(message),
    }
    const known = this.#changes.get(id)
    if (known === undefined) this.#changes.set(id, change)
    else if (!known.message.includes(change.message))
      this.#changes.set(id, { ...known, message: `${known.message}; ${change.message}` })
  }

  toList(): readonly Change[] {
    return [...this.#changes.values()]
  }
}

/** A name or a value in a message. */
export function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}

/** Without what would move the cursor of a terminal, break a line, or turn the direction of text. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, toEscape)
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
