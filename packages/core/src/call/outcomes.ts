import type { Timer } from '../base/clock.ts'
import type { AppError } from '../errors/app-error.ts'

/** `commit`: a COMMIT, which nothing cancels. `statement`: one that writes and commits by itself; it may be cancelled, and its answer says whether it was. */
export type SentKind = 'commit' | 'statement'

/** A deadline or a drain that waits for an answer. */
interface HeldEnd {
  readonly error: AppError
  readonly timer: Timer
  /** Resolves when the call has been answered. */
  readonly answered: Promise<void>
  readonly tellAnswered: () => void
}

/** What a call has sent that changes data for good. Until it is answered nobody knows whether the change was made. */
export class Outcomes {
  /** Null while the call has its time. */
  held: HeldEnd | null = null
  /** Set when the call was answered with `outcome_unknown`, or its client left: the end of its command or handler still decides about effects. */
  late: 'unknown' | 'left' | null = null
  readonly #onKnown: (outcomes: Outcomes) => void
  #commits = 0
  #statements = 0
  #mayBeDone = false
  #waiting: (() => void)[] = []

  /** @param onKnown - Called when the last of those under way has been answered. */
  constructor(onKnown: (outcomes: Outcomes) => void) {
    this.#onKnown = onKnown
  }

  /** Something is under way. */
  get pending(): boolean {
    return this.#commits > 0 || this.#statements > 0
  }
  /** A COMMIT is under way. */
  get committing(): boolean {
    return this.#commits > 0
  }
  /** Something has been committed, or its answer was lost. */
  get mayBeDone(): boolean {
    return this.#mayBeDone
  }
  /** It would be wrong to say that nothing was done. */
  get uncertain(): boolean {
    return this.pending || this.#mayBeDone
  }

  sent(kind: SentKind): void {
    if (kind === 'commit') this.#commits += 1
    else this.#statements += 1
  }

  /** Once for each `sent`. `mayBeDone`: it has changed something, or may have. */
  known(kind: SentKind, mayBeDone: boolean): void {
    if (kind === 'commit') this.#commits -= 1
    else this.#statements -= 1
    if (mayBeDone) this.#mayBeDone = true
    if (this.pending) return
    this.#onKnown(this)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when nothing is under way. */
  whenKnown(): Promise<void> {
    return new Promise((resolve) => {
      if (this.pending) this.#waiting.push(resolve)
      else resolve()
    })
  }
}

/** Those of a call. Whoever else statements run for has none, and waits for their answers as long as they take. */
export function outcomesOf(caller: object | null): Outcomes | null {
  const outcomes = caller !== null && 'outcomes' in caller ? caller.outcomes : null
  return outcomes instanceof Outcomes ? outcomes : null
}
