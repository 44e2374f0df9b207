import { AsyncScope } from '../base/async-scope.ts'
import { isPromise } from '../base/maybe-promise.ts'
import type { Publication } from './publication.ts'

/** A publication that waits for a commit: an outbox stores it instead of sending it. */
export interface HeldPublication {
  readonly publication: Publication
  readonly send: (publication: Publication) => void
}

type Effect = (() => void | Promise<void>) | HeldPublication

/** A transaction in progress: effects that its code adds wait in the list. */
interface OpenTransaction {
  readonly owner: Effects
  readonly list: Effect[]
}

/** The length of a list at some time: `rewind` restores it. */
export interface EffectsMark {
  readonly list: Effect[]
  readonly length: number
}

// By asynchronous context: of two transactions that a call runs side by side one may commit and the other roll back.
const transactions = new AsyncScope<OpenTransaction>()

/** What a call has scheduled for after the commit of its transaction, or, without one, for after its success. */
export class Effects {
  readonly #onError: (error: unknown) => void
  readonly #track: (pending: Promise<void>) => void
  readonly #list: Effect[] = []
  #holds = 0

  /** @param track - Gets what runs after a commit and is not awaited. */
  constructor(onError: (error: unknown) => void, track: (pending: Promise<void>) => void) {
    this.#onError = onError
    this.#track = track
  }

  /** True inside a transaction. */
  get held(): boolean {
    return this.#holds > 0 || this.#innermost() !== null
  }

  add(effect: Effect): void {
    this.#current().push(effect)
  }

  get mark(): EffectsMark {
    const list = this.#current()
    return { list, length: list.length }
  }

  /** Drops what was added since `mark`. */
  rewind({ list, length }: EffectsMark): void {
    list.length = Math.min(list.length, length)
  }

  /** An interceptor with `holdsEffects` begins. Returns the mark for `unhold`. */
  hold(): EffectsMark {
    this.#holds++
    return this.mark
  }

  /** That interceptor has ended. The end of the outermost one runs the effects; a failure drops those that were added in it. */
  unhold(mark: EffectsMark, committed: boolean): Promise<void> | undefined {
    this.#holds--
    if (!committed) this.rewind(mark)
    return committed && !this.held ? this.release() : undefined
  }

  /**
   * Runs `run` as a transaction or a savepoint: what is added in it is dropped when it rejects. When it resolves, that goes to the
   * transaction around it, and without one it runs.
   */
  async transact<T>(run: () => Promise<T>): Promise<T> {
    const list: Effect[] = []
    const result = await transactions.run({ owner: this, list }, run)
    if (list.length === 0) return result
    if (this.held) this.#current().push(...list)
    else this.#track(this.#run(list))
    return result
  }

  /** Removes the publications that wait for the innermost transaction or for success, and returns them in their order. */
  takePublications(): readonly Publication[] {
    const list = this.#current()
    const taken: Publication[] = []
    const rest = list.filter((effect) => {
      if (typeof effect === 'function') return true
      taken.push(effect.publication)
      return false
    })
    if (taken.length > 0) list.splice(0, list.length, ...rest)
    return taken
  }

  /** Runs all, in order, each after the one before. */
  release(): Promise<void> | undefined {
    return this.#list.length === 0 ? undefined : this.#run(this.#list.splice(0))
  }

  drop(): void {
    // Inside of a transaction that is still in progress, its own end decides.
    if (this.#holds === 0) this.#list.length = 0
  }

  #innermost(): OpenTransaction | null {
    return transactions.isEmpty ? null : transactions.find(({ owner }) => owner === this)
  }

  #current(): Effect[] {
    return this.#innermost()?.list ?? this.#list
  }

  async #run(list: readonly Effect[]): Promise<void> {
    for (const effect of list) {
      try {
        if (typeof effect === 'function') {
          const result = effect()
          if (isPromise(result)) await result
        } else effect.send(effect.publication)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}

/** `Effects.transact` on behalf of a call. A transaction for anything else has no effects. */
export function holdEffects<T>(caller: object | null, run: () => Promise<T>): Promise<T> {
  const effects = effectsOf(caller)
  return effects === null ? run() : effects.transact(run)
}

/** `Effects.takePublications` on behalf of a call. */
export function takePublications(caller: object | null): readonly Publication[] {
  return effectsOf(caller)?.takePublications() ?? []
}

function effectsOf(caller: object | null): Effects | null {
  const effects = caller !== null && 'effects' in caller ? caller.effects : null
  return effects instanceof Effects ? effects : null
}
