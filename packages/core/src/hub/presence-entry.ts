import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
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
  #isBusy = false
  /** Resolves what `reconcile` returned while it was busy. */
  #next: (() => void) | null = null

  constructor(topic: string, serial: number, owner: EntryOwner) {
    this.topic = topic
    this.serial = serial
    this.#owner = owner
  }

  /** Null once it has left. */
  get member(): Member | null {
    return this.#wanted
  }

  /** As `reconcile`. */
  want(member: Member | null): MaybePromise<void> {
    this.#wanted = member
    return this.reconcile()
  }

  /**
   * Tells the broker what is wanted, one message at a time, until it has it or has failed. Returns a promise if the broker does, which never rejects:
   * it waits for what is wanted now, or what has replaced it when its turn comes, and not for what is wanted after that. Undefined as well where one
   * that is pending waits for the same.
   */
  reconcile(): MaybePromise<void> {
    if (this.#isBusy) return this.#afterThis()
    while (this.#wanted !== this.#told || this.#isUncertain) {
      const target = this.#wanted
      const before = this.#told
      if (target !== null) this.#told = target
      try {
        const result = this.#tell(target, before)
        if (isPromise(result)) return this.#finish(result, target)
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

  #afterThis(): MaybePromise<void> {
    if (this.#next !== null) return
    return new Promise((resolve) => {
      this.#next = resolve
    })
  }

  /** Does not wait for what it tells next: one connection that comes and goes all the time would hold up all who ask. */
  async #finish(result: Promise<unknown>, target: Member | null): Promise<void> {
    this.#isBusy = true
    try {
      await result
    } catch (error) {
      const next = this.#free()
      this.#fail(error)
      return next?.()
    }
    const next = this.#free()
    this.#succeed(target)
    const following = this.reconcile()
    if (next === null) return
    if (isPromise(following)) void following.then(next)
    else next()
  }

  #free(): (() => void) | null {
    const next = this.#next
    this.#isBusy = false
    this.#next = null
    return next
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
