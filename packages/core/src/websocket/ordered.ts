import type { ActiveCall } from '../call/active-call.ts'

interface Lane {
  readonly waiting: ActiveCall[]
  /** No call of it runs. */
  free: boolean
  /** `#advance` is at work further up the stack. */
  advancing: boolean
}

/** Lets the calls of one connection that must not overlap run one after the other: by route, or all of them. */
export class CallQueue {
  readonly #lanes = new Map<unknown, Lane>()

  /** Runs `call` now, or when every earlier one of its lane has been answered and has ended. */
  enter(key: unknown, call: ActiveCall): void {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { waiting: [], free: true, advancing: false }
      this.#lanes.set(key, lane)
    }
    lane.waiting.push(call)
    this.#advance(key, lane)
  }

  /** What waits will never run. */
  clear(): void {
    for (const { waiting } of this.#lanes.values()) waiting.length = 0
  }

  // A loop and no recursion: calls that are refused at once would otherwise stand on one another's stack.
  #advance(key: unknown, lane: Lane): void {
    if (lane.advancing) return
    lane.advancing = true
    while (lane.free) {
      const call = lane.waiting.shift()
      if (call === undefined) break
      // One that has been answered while it waited (deadline, client gone) has already had its turn.
      if (call.settled) continue
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
