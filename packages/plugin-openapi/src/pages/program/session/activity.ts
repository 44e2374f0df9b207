import { pretty } from '../model/json.ts'
import { Emitter } from './emitter.ts'
import type { Mask } from './mask.ts'

/** What the log shows: a call with what became of it, an event, or a change of the connection. */
export interface Entry {
  readonly id: number
  readonly at: number
  readonly kind: 'call' | 'event' | 'note'
  readonly title: string
  /** `ok`, `failed`, or neither yet. */
  readonly state: 'failed' | 'info' | 'ok' | 'waiting'
  /** Short facts: `WebSocket`, `12 ms`, `status_code 0 OK`. */
  readonly facts: readonly string[]
  readonly message: string
  readonly data: unknown
}

export type NewEntry = Omit<Entry, 'at' | 'id'>

/** Of each kind: many events do not remove replies. */
const maxEntries = 200
const maxCharacters = 20_000

/** The last entries, the newest last. A call that waits stays until its reply. Tokens are masked in what is shown. */
export class Activity {
  readonly changed = new Emitter<Entry | null>()
  readonly #mask: Mask
  #entries: readonly Entry[] = []
  #next = 1

  constructor(mask: Mask) {
    this.#mask = mask
  }

  get all(): readonly Entry[] {
    return this.#entries
  }

  add(entry: NewEntry): Entry {
    const added: Entry = { ...entry, message: this.#mask.apply(entry.message), id: this.#next++, at: Date.now() }
    this.#entries = withoutOldest([...this.#entries, added], added.kind)
    this.changed.emit(added)
    return added
  }

  /** The entry in its place, changed. */
  update(entry: Entry, change: Partial<NewEntry>): Entry {
    const changed: Entry = { ...entry, ...change }
    const updated: Entry = { ...changed, message: this.#mask.apply(changed.message) }
    this.#entries = this.#entries.map((each) => (each.id === entry.id ? updated : each))
    this.changed.emit(updated)
    return updated
  }

  /** The data of an entry for people. */
  textOf({ data }: Entry): string {
    // Masked as a whole: the cut must not divide a token.
    const text = this.#mask.apply(pretty(data))
    const rest = text.length - maxCharacters
    return rest > 0 ? `${text.slice(0, maxCharacters)}\n… ${rest} more characters` : text
  }

  clear(): void {
    this.#entries = this.#entries.filter(({ state }) => state === 'waiting')
    this.changed.emit(null)
  }
}

function withoutOldest(entries: readonly Entry[], kind: Entry['kind']): readonly Entry[] {
  const finished = entries.filter((each) => each.kind === kind && each.state !== 'waiting')
  const [oldest] = finished
  return finished.length > maxEntries ? entries.filter((each) => each !== oldest) : entries
}
