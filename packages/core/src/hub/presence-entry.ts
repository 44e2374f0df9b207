import { isPromise } from '../base/maybe-promise.ts'
import type { Broker, Member } from './broker.ts'

/** What an entry needs of its table. */
export interface EntryOwner {
  readonly broker: Pick<Broker, 'join' | 'leave'>
  /** The broker has what is wanted. */
  settled(entry: PresenceEntry): void
  /** The broker did not take it: `reconcile` has to be called again. */
  failed(entry: PresenceEntry, error: unknown): void
}

/** One connection in one topic with presence: what is wanted, and what the broker has. */
export class PresenceEntry {
  readonly topic: string
  readonly serial: number
  readonly #owner: EntryOwner
  /** Null: it has left. */
  #wanted: Member | null = null
  /** What the broker has, or may have; null: nothing. */
  #told: Member | null = null
  /** An attempt to tell `#told` has failed: it may be there or not. */
  #isUncertain = false
  /** What the broker is being told; null while it is told nothing. It never rejects. */
  #attempt: Promise<void> | null = null

  constructor(topic: string, serial: number, owner: EntryOwner) {
    this.topic = topic
    this.serial = serial
    this.#owner = owner
  }

  /** Null once it has left. */
  get member(): Member | null {
    return this.#wanted
  }

  /** Resolves when the broker has answered what it is being told; null if it is told nothing now. */
  get attempt(): Promise<void> | null {
    return this.#attempt
  }

  want(member: Member | null): void {
    this.#wanted = member
    this.reconcile()
  }

  /** Tells the broker what is wanted, one message at a time, until it has it. */
  reconcile(): void {
    if (this.#attempt !== null) return
    while (this.#wanted !== this.#told || this.#isUncertain) {
      const target = this.#wanted
      const before = this.#told
      if (target !== null) this.#told = target
      try {
        const result = this.#tell(target, before)
        if (isPromise(result)) return this.#await(result, target)
      } catch (error) {
        return this.#fail(error)
      }
      this.#succeed(target)
    }
    this.#owner.settled(this)
  }

  #tell(target: Member | null, before: Member | null) {
    const { broker } = this.#owner
    if (target !== null) return broker.join(this.topic, target)
    if (before !== null) return broker.leave(this.topic, before)
  }

  #await(result: Promise<unknown>, target: Member | null): void {
    this.#attempt = result.then(
      () => {
        this.#attempt = null
        this.#succeed(target)
        this.reconcile()
      },
      (error: unknown) => {
        this.#attempt = null
        this.#fail(error)
      },
    )
  }

  #succeed(target: Member | null): void {
    this.#told = target
    this.#isUncertain = false
  }

  #fail(error: unknown): void {
    this.#isUncertain = true
    this.#owner.failed(this, error)
  }
}
