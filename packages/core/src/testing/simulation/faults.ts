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
 * - `service`: the connections of a node to services (`SimulatedProcess.connect`), such as a database, are cut, or nothing passes for a while.
 * - `kill`: a node is killed, and started again after a while. The last one that runs is not.
 */
export type Fault = 'cut' | 'hold' | 'broker' | 'service' | 'kill'

export interface FaultOptions {
  /** Mean time between two faults, in milliseconds. Default 500. */
  readonly everyMs?: number
  /** Default: all, `service` only where a process has connected to one. */
  readonly kinds?: readonly Fault[]
}

interface FaultTargets {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly history: History
  readonly clients: readonly { readonly name: string; readonly link: SimulatedLink }[]
  readonly nodes: readonly (SimulatedNode & { readonly services: { readonly isUsed: boolean } })[]
}

const withoutServices: readonly Fault[] = ['cut', 'hold', 'broker', 'kill']
const allKinds: readonly Fault[] = [...withoutServices, 'service']

/** Disturbs clients and nodes at random times, until it is stopped. */
export class Faults {
  readonly #targets: FaultTargets
  #next: Timer | null = null
  readonly #repairs = new Set<{ readonly timer: Timer; readonly run: () => void }>()

  constructor(targets: FaultTargets) {
    this.#targets = targets
  }

  start({ everyMs = 500, kinds }: FaultOptions): void {
    checkFaults(everyMs, kinds ?? allKinds)
    this.#next?.cancel()
    const { clock, random } = this.#targets
    const schedule = (): void => {
      this.#next = clock.timer(random.float() * 2 * everyMs, () => {
        this.#disturb(random.pick(kinds ?? this.#usualKinds()))
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

  #usualKinds(): readonly Fault[] {
    return this.#targets.nodes.some(({ services }) => services.isUsed) ? allKinds : withoutServices
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
    if (kind === 'service') return this.#disturbService()
    const up = nodes.filter(({ isUp }) => isUp)
    if (up.length === 0 || (kind === 'kill' && up.length === 1)) return
    const node = random.pick(up)
    if (kind === 'broker') {
      node.cutBroker()
      return this.#repairLater(() => node.restoreBroker())
    }
    node.kill()
    this.#startLater(node)
  }

  #disturbService(): void {
    const { nodes, random, history } = this.#targets
    const using = nodes.filter(({ services }) => services.isUsed)
    if (using.length === 0) return
    const { name, services } = random.pick(using)
    const isCut = random.chance(0.7)
    history.add(`${name} ${isCut ? 'loses its connections to services' : 'does not reach services'}`)
    if (isCut) return services.cut()
    services.hold()
    this.#repairLater(() => services.release())
  }

  /** A process that does not start, because of another fault, is started again, as by a supervisor. */
  #startLater(node: SimulatedNode): void {
    this.#repairLater(() => {
      node.start().catch((error: unknown) => {
        this.#targets.history.add(`${node.name} does not start: ${String(error)}`)
        if (this.#next !== null) this.#startLater(node)
      })
    })
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
