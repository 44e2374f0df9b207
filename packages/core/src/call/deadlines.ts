import type { Clock, Timer } from '../base/clock.ts'

/** Something that expires. */
export interface Expiring {
  expire(): void
}

/** An armed deadline. */
export interface Deadline {
  readonly list: DeadlineList
  readonly dueMs: number
  readonly target: Expiring
  previous: Deadline | null
  next: Deadline | null
  armed: boolean
}

/**
 * Deadlines of equal length, in the order in which they were armed, which is the order in which they expire: one timer serves them
 * all, and arming or disarming one is a few assignments.
 */
class DeadlineList {
  readonly #clock: Clock
  readonly #lengthMs: number
  #first: Deadline | null = null
  #last: Deadline | null = null
  #timer: Timer | null = null

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock
    this.#lengthMs = lengthMs
  }

  arm(target: Expiring, startMs: number): Deadline {
    const last = this.#last
    // A call that waited before it was armed may expire before its predecessor: together with it is early enough.
    const dueMs = Math.max(startMs + this.#lengthMs, last?.dueMs ?? 0)
    const deadline: Deadline = { list: this, dueMs, target, previous: last, next: null, armed: true }
    if (last === null) this.#first = deadline
    else last.next = deadline
    this.#last = deadline
    if (this.#timer === null) this.#wait(dueMs)
    return deadline
  }

  disarm(deadline: Deadline): void {
    if (!deadline.armed) return
    deadline.armed = false
    if (deadline.previous === null) this.#first = deadline.next
    else deadline.previous.next = deadline.next
    if (deadline.next === null) this.#last = deadline.previous
    else deadline.next.previous = deadline.previous
    // A handler that never ends keeps its call and this deadline in memory: it must not keep every later one as well.
    deadline.previous = null
    deadline.next = null
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #wait(dueMs: number): void {
    const delayMs = Math.max(1, Math.ceil(dueMs - this.#clock.monotonic()))
    this.#timer = this.#clock.timer(delayMs, () => {
      this.#timer = null
      this.#expireDue()
    })
  }

  #expireDue(): void {
    const now = this.#clock.monotonic()
    for (let due = this.#first; due !== null && due.dueMs <= now; due = this.#first) {
      this.disarm(due)
      due.target.expire()
    }
    if (this.#first !== null && this.#timer === null) this.#wait(this.#first.dueMs)
  }
}

/** Deadlines of all lengths. A call that ends without waiting never comes here. */
export class Deadlines {
  readonly #clock: Clock
  readonly #lists = new Map<number, DeadlineList>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `startMs` is of `clock.monotonic`. */
  arm(target: Expiring, startMs: number, lengthMs: number): Deadline {
    let list = this.#lists.get(lengthMs)
    if (list === undefined) {
      list = new DeadlineList(this.#clock, lengthMs)
      this.#lists.set(lengthMs, list)
    }
    return list.arm(target, startMs)
  }

  /** Idempotent. */
  disarm(deadline: Deadline): void {
    deadline.list.disarm(deadline)
  }

  /** Cancels the timers. */
  close(): void {
    for (const list of this.#lists.values()) list.close()
  }
}
