import type { Clock, Timer } from '../../base/clock.ts'
import { checkFaults } from './check-options.ts'
import type { History } from './history.ts'
import type { SimulatedLink } from './link.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedNode } from './simulated-node.ts'

/**
 * - `cut`: the connections of a client are cut.
 * - `hold`: nothing passes between a client and the app for a while, and neither learns of it.
 * - `broker`: a node cannot reach the broker for a while.
 * - `kill`: a node is killed, and started again after a while. The last one that runs is not.
 */
export type Fault = 'cut' | 'hold' | 'broker' | 'kill'

export interface FaultOptions {
  /** Mean time between two faults, in milliseconds. Default 500. */
  readonly everyMs?: number
  /** Default: all. */
  readonly kinds?: readonly Fault[]
}

interface FaultTargets {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly history: History
  readonly clients: readonly { readonly name: string; readonly link: SimulatedLink }[]
  readonly nodes: readonly SimulatedNode[]
  /** A node could not be started again. */
  readonly onError: (error: unknown) => void
}

const allKinds: readonly Fault[] = ['cut', 'hold', 'broker', 'kill']

/** Disturbs clients and nodes at random times, until it is stopped. */
export class Faults {
  readonly #targets: FaultTargets
  #next: Timer | null = null
  readonly #repairs = new Set<{ readonly timer: Timer; readonly run: () => void }>()

  constructor(targets: FaultTargets) {
    this.#targets = targets
  }

  start({ everyMs = 500, kinds = allKinds }: FaultOptions): void {
    checkFaults(everyMs, kinds)
    this.#next?.cancel()
    const { clock, random } = this.#targets
    const schedule = (): void => {
      this.#next = clock.timer(random.float() * 2 * everyMs, () => {
        this.#disturb(random.pick(kinds))
        schedule()
      })
    }
    schedule()
  }

  /** What is disturbed is repaired now. */
  stop(): void {
    this.#next?.cancel()
    this.#next = null
    for (const { timer, run } of [...this.#repairs]) {
      timer.cancel()
      run()
    }
  }

  #disturb(kind: Fault): void {
    const { clients, nodes, random, history } = this.#targets
    if (kind === 'cut' || kind === 'hold') {
      if (clients.length === 0) return
      const { name, link } = random.pick(clients)
      history.add(`${name} ${kind}`)
      if (kind === 'cut') return link.cut()
      link.hold()
      return this.#repairLater(() => link.release())
    }
    const up = nodes.filter(({ isUp }) => isUp)
    if (up.length === 0 || (kind === 'kill' && up.length === 1)) return
    const node = random.pick(up)
    if (kind === 'broker') {
      node.cutBroker()
      return this.#repairLater(() => node.restoreBroker())
    }
    node.kill()
    this.#repairLater(() => void node.start().catch(this.#targets.onError))
  }

  /** Mostly soon, and sometimes so late that pings, leases and deadlines are over. */
  #repairLater(run: () => void): void {
    const { clock, random } = this.#targets
    const repair = {
      timer: clock.timer(10 ** (1 + random.float() * 3.8), () => repair.run()),
      run: () => {
        this.#repairs.delete(repair)
        run()
      },
    }
    this.#repairs.add(repair)
  }
}
