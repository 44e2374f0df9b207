import type { Clock } from '../../base/clock.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What a client is connected by, as a schedule disturbs it. */
export interface SimulatedLink {
  /**
   * Ends all connections without a close frame: a random part of what is on its way still arrives, in each direction, then each end learns of
   * it. Requests over HTTP fail, before or after they were executed. The client may connect again at once.
   */
  cut(): void
  /** Nothing passes any more, in both directions, and neither end learns of it; until `release`. New connections wait too. */
  hold(): void
  /** What was held arrives, late and in order. */
  release(): void
  readonly isHeld: boolean
}

export interface NetworkDelays {
  /** Of what is sent, in milliseconds. Default 0.1. */
  readonly minDelayMs?: number
  /** Default 20. */
  readonly maxDelayMs?: number
}

/** What a link is made of. */
export interface LinkOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly delays: Required<NetworkDelays>
}

/** One end-to-end connection over a link. */
export interface LinkUser {
  /** Both directions end now. */
  cut(): void
  held?(): void
  released?(): void
}

/** The network of one client. */
export class Link implements SimulatedLink {
  readonly #options: LinkOptions
  readonly #users = new Set<LinkUser>()
  readonly #pipes = new Set<Pipe>()
  isHeld = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Something is connected. */
  get isUsed(): boolean {
    return this.#users.size > 0
  }

  /** Something is on its way. */
  get isBusy(): boolean {
    return [...this.#pipes].some((pipe) => pipe.length > 0)
  }

  cut(): void {
    this.release()
    for (const user of [...this.#users]) user.cut()
  }

  hold(): void {
    if (this.isHeld) return
    this.isHeld = true
    for (const user of [...this.#users]) user.held?.()
  }

  release(): void {
    if (!this.isHeld) return
    this.isHeld = false
    for (const user of [...this.#users]) user.released?.()
    for (const pipe of this.#pipes) pipe.resume()
  }

  add(user: LinkUser): void {
    this.#users.add(user)
    if (this.isHeld) user.held?.()
  }

  remove(user: LinkUser): void {
    this.#users.delete(user)
  }

  /** One direction of a connection. */
  pipe(): Pipe {
    const pipe: Pipe = new Pipe(this, this.#options, {
      busy: () => this.#pipes.add(pipe),
      idle: () => this.#pipes.delete(pipe),
    })
    return pipe
  }
}

/** One direction of a connection: what is sent arrives later, in its order, as TCP delivers it. */
export class Pipe {
  readonly #link: Pick<SimulatedLink, 'isHeld'>
  readonly #options: LinkOptions
  readonly #changed: { readonly busy: () => void; readonly idle: () => void }
  #queue: { readonly dueMs: number; readonly arrive: () => void }[] = []
  #isWaiting = false

  constructor(
    link: Pick<SimulatedLink, 'isHeld'>,
    options: LinkOptions,
    changed: { readonly busy: () => void; readonly idle: () => void },
  ) {
    this.#link = link
    this.#options = options
    this.#changed = changed
  }

  get length(): number {
    return this.#queue.length
  }

  send(arrive: () => void): void {
    const { clock, random, delays } = this.#options
    const delayMs = delays.minDelayMs + random.float() * (delays.maxDelayMs - delays.minDelayMs)
    this.#queue.push({ dueMs: clock.monotonic() + delayMs, arrive })
    this.#changed.busy()
    this.resume()
  }

  /** A random part of what is on its way is lost, always the last of it. */
  lose(): void {
    this.#queue.length = this.#options.random.integer(0, this.#queue.length)
  }

  /** Nothing of it arrives. */
  drop(): void {
    this.#queue = []
    this.#changed.idle()
  }

  /** Waits for the next one to arrive. */
  resume(): void {
    const [next] = this.#queue
    if (this.#isWaiting || this.#link.isHeld || next === undefined) return
    const { clock } = this.#options
    this.#isWaiting = true
    clock.timer(next.dueMs - clock.monotonic(), () => {
      this.#isWaiting = false
      if (this.#link.isHeld) return
      const arrived = this.#queue.shift()
      if (this.#queue.length === 0) this.#changed.idle()
      arrived?.arrive()
      this.resume()
    })
  }
}
