import type { ActiveCall } from '../call/active-call.ts'

interface Lane {
  readonly waiting: ActiveCall[]
  /** No call of this lane is running. */
  free: boolean
  /** `#advance` is on the stack already. */
  advancing: boolean
}

/** Runs the calls of one connection that must not overlap one after the other: those of a route, or all. */
export class CallQueue {
  readonly #lanes = new Map<unknown, Lane>()

  /** Runs `call` once all earlier calls of its lane have been answered and have ended. */
  enter(key: unknown, call: ActiveCall): void {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { waiting: [], free: true, advancing: false }
      this.#lanes.set(key, lane)
    }
    lane.waiting.push(call)
    this.#advance(key, lane)
  }

  /** Drops the waiting calls. */
  clear(): void {
    for (const { waiting } of this.#lanes.values()) waiting.length = 0
  }

  // A loop instead of recursion: a long row of calls that are refused at once would overflow the stack.
  #advance(key: unknown, lane: Lane): void {
    if (lane.advancing) return
    lane.advancing = true
    while (lane.free) {
      const call = lane.waiting.shift()
      if (call === undefined) break
      // Answered while it waited: its deadline passed, or the client disconnected.
      if (call.decided) continue
      lane.free = false
      call.onDone = () => {
        lane.free = true
        this.#advance(key, lane)
      }
      call.compiled.run(call)
    }
    lane.advancing = false
    if (lane.free) this.#lanes.delete(key)
  }
}
