import { Emitter } from './emitter.ts'

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

const maxEntries = 200

/** The last entries, the newest last. */
export class Activity {
  readonly changed = new Emitter<Entry | null>()
  #entries: Entry[] = []
  #next = 1

  get all(): readonly Entry[] {
    return this.#entries
  }

  add(entry: NewEntry): Entry {
    const added: Entry = { ...entry, id: this.#next++, at: Date.now() }
    this.#entries = [...this.#entries.slice(1 - maxEntries), added]
    this.changed.emit(added)
    return added
  }

  /** The entry in its place, changed. */
  update(entry: Entry, change: Partial<NewEntry>): Entry {
    const updated: Entry = { ...entry, ...change }
    this.#entries = this.#entries.map((each) => (each.id === entry.id ? updated : each))
    this.changed.emit(updated)
    return updated
  }

  clear(): void {
    this.#entries = []
    this.changed.emit(null)
  }
}
