import type { Clock } from '../../base/clock.ts'

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** A longer frame is cut. */
const maxChars = 500

/** What happened in a schedule, one line each. Ids are numbered in the order in which they appear: `#1` is the first one. */
export class History {
  readonly lines: string[] = []
  readonly #clock: Clock
  readonly #ids = new Map<string, string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(what: string): void {
    const ms = this.#clock.monotonic().toFixed(3).padStart(11)
    const text = what.replace(uuid, (id) => this.#nameOf(id))
    this.lines.push(`${ms} ${text.length > maxChars ? `${text.slice(0, maxChars)}…` : text}`)
  }

  #nameOf(id: string): string {
    const name = this.#ids.get(id) ?? `#${this.#ids.size + 1}`
    this.#ids.set(id, name)
    return name
  }
}
