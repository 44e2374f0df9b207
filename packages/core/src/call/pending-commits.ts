import type { Timer } from '../base/clock.ts'
import type { AppError } from '../errors/app-error.ts'

/** `commit`: a COMMIT, which nothing cancels. `statement`: one that writes and commits by itself; it may be cancelled, and its answer says whether it was. */
export type CommitKind = 'commit' | 'statement'

/** A deadline or a drain that waits for the answer to a commit before it fails the call. */
interface DeferredFailure {
  readonly error: AppError
  readonly timer: Timer
  /** Resolves when the call has been answered. */
  readonly answered: Promise<void>
  readonly resolveAnswered: () => void
}

/** What a call has sent that changes data durably. Until it is answered it is not known whether the change was made. */
export class PendingCommits {
  /** Null before the deadline or the drain. */
  deferredFailure: DeferredFailure | null = null
  /** Set when the call was answered with `outcome_unknown`, or its client disconnected: the end of its command or handler still decides about effects. */
  endedEarly: 'outcome_unknown' | 'disconnected' | null = null
  readonly #onSettled: (commits: PendingCommits) => void
  #commits = 0
  #statements = 0
  #mayBeCommitted = false
  #waiting: (() => void)[] = []

  /** @param onSettled - Called when the last of those in progress has been answered. */
  constructor(onSettled: (commits: PendingCommits) => void) {
    this.#onSettled = onSettled
  }

  /** Something is in progress. */
  get pending(): boolean {
    return this.#commits > 0 || this.#statements > 0
  }
  /** A COMMIT is in progress. */
  get committing(): boolean {
    return this.#commits > 0
  }
  /** Something has been committed, or its answer was lost. */
  get mayBeCommitted(): boolean {
    return this.#mayBeCommitted
  }
  /** It would be wrong to say that nothing was done. */
  get uncertain(): boolean {
    return this.pending || this.#mayBeCommitted
  }

  sent(kind: CommitKind): void {
    if (kind === 'commit') this.#commits += 1
    else this.#statements += 1
  }

  /** Once for each `sent`. `mayBeCommitted`: it has changed something, or may have. */
  answered(kind: CommitKind, mayBeCommitted: boolean): void {
    if (kind === 'commit') this.#commits -= 1
    else this.#statements -= 1
    if (mayBeCommitted) this.#mayBeCommitted = true
    if (this.pending) return
    this.#onSettled(this)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when nothing is in progress. */
  whenSettled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.pending) this.#waiting.push(resolve)
      else resolve()
    })
  }
}

/** Those of a call. Statements that run for anything else have none, and wait for their answers without a limit. */
export function pendingCommitsOf(caller: object | null): PendingCommits | null {
  const commits = caller !== null && 'commits' in caller ? caller.commits : null
  return commits instanceof PendingCommits ? commits : null
}
