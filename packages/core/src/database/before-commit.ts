import type { Database } from './database.ts'

/** Writes with the handle of the transaction. What it returns runs once the COMMIT has succeeded. */
export type CommitHook = (tx: Database) => Promise<(() => void) | undefined>

/** What the transactions of a call run last. */
export class CommitHooks {
  readonly #hooks = new WeakMap<object, CommitHook[]>()

  add(call: object, hook: CommitHook): void {
    const hooks = this.#hooks.get(call)
    if (hooks === undefined) this.#hooks.set(call, [hook])
    else hooks.push(hook)
  }

  /** Resolves with what to run after the COMMIT. */
  async run(call: object | null, tx: Database): Promise<readonly (() => void)[]> {
    const hooks = call === null ? undefined : this.#hooks.get(call)
    if (hooks === undefined) return []
    const committed: (() => void)[] = []
    for (const hook of hooks) {
      const after = await hook(tx)
      if (after !== undefined) committed.push(after)
    }
    return committed
  }
}
