import { textOf } from './call-error.ts'
import type { ServerPackage } from './codec.ts'
import { known, type Manifest } from './manifest.ts'
import { toPosition } from './position.ts'
import type { EventMeta, Subscriptions } from './subscriptions.ts'
import type { Run } from './topic.ts'

type Listener = (data: unknown, meta: EventMeta) => void

/** Of an event that does not ask. */
const zeroId = '00000000-0000-0000-0000-000000000000'

/** Delivers events to their listeners, each once. */
export class Events {
  readonly #subscriptions: Subscriptions
  readonly #run: Run
  /** By name: `on` takes many, `answer` one. */
  readonly #listeners: Readonly<Record<string, Set<Listener>>>
  readonly #answers = new Map<string, (data: unknown) => unknown>()
  readonly #names: ReadonlyMap<number, string>

  constructor(events: Manifest['events'], subscriptions: Subscriptions, run: Run) {
    this.#subscriptions = subscriptions
    this.#run = run
    this.#listeners = Object.fromEntries(Object.keys(events).map((name) => [name, new Set()]))
    this.#names = new Map(Object.entries(events).map(([name, { pkgId }]) => [pkgId, name]))
  }

  /** @throws TypeError for an unknown name */
  on(name: string, listener: Listener): () => void {
    // Another function for each call, so that one listener may be added twice.
    const own: Listener = (data, meta) => listener(data, meta)
    const listeners = this.check(name).add(own)
    return () => {
      listeners.delete(own)
    }
  }

  /** @throws TypeError for an unknown name */
  answer(name: string, answer: (data: unknown) => unknown): () => void {
    this.check(name)
    this.#answers.set(name, answer)
    return () => {
      if (this.#answers.get(name) === answer) this.#answers.delete(name)
    }
  }

  /** `answer` sends the answer to a question. */
  receive({ pkg_id, req_id, data, meta }: ServerPackage, answer: (data: unknown) => void): void {
    const { topic, cause } = meta ?? {}
    const own = { topic: textOf(topic), position: toPosition(meta ?? {}), cause: textOf(cause) }
    const found = this.#subscriptions.accept(own)
    const event = this.#names.get(pkg_id)
    // Unknown: the server is newer than the manifest.
    if (found === false || event === undefined) return
    for (const listener of [...this.check(event)]) this.#run(listener, data, own)
    for (const { onEvent } of [...(found?.listeners ?? [])]) this.#run(onEvent, { event, data, ...own })
    const ask = req_id === zeroId ? undefined : this.#answers.get(event)
    if (ask !== undefined)
      Promise.resolve(data)
        .then(ask)
        .then(answer)
        .catch((error: unknown) =>
          this.#run(() => {
            // The server stops waiting at its own time limit.
            throw error
          }),
        )
  }

  /** The listeners of an event. @throws TypeError for an unknown name */
  check(name: string): Set<Listener> {
    return known(this.#listeners, name)
  }
}
