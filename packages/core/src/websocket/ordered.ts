import type { ActiveCall } from '../call/active-call.ts'

interface Lane {
  readonly waiting: ActiveCall[]
}

/** Lets the calls of one connection that must not overlap run one after the other: by route, or all of them. */
export class CallQueue {
  readonly #lanes = new Map<unknown, Lane>()

  /** Runs `call` now, or when every earlier one of its lane has ended. */
  enter(lane: unknown, call: ActiveCall): void {
    const open = this.#lanes.get(lane)
    if (open !== undefined) {
      open.waiting.push(call)
      return
    }
    this.#lanes.set(lane, { waiting: [] })
    this.#start(lane, call)
  }

  #start(lane: unknown, call: ActiveCall): void {
    call.onExecuted = () => this.#next(lane)
    call.compiled.run(call)
  }

  #next(key: unknown): void {
    const lane = this.#lanes.get(key)
    if (lane === undefined) return
    // One that has been answered while it waited (deadline, client gone) has already had its turn.
    for (let call = lane.waiting.shift(); call !== undefined; call = lane.waiting.shift()) {
      if (call.settled) continue
      this.#start(key, call)
      return
    }
    this.#lanes.delete(key)
  }
}
