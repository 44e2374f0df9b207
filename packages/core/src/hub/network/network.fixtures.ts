// Brokers of several nodes in one process, around a server that they share. Whatever happens is a step: in order by itself, or as a test decides.
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Step } from '../../testing/simulation/broker/broker-requests.ts'
import { NetworkBroker } from '../../testing/simulation/broker/network-broker.ts'
import { NetworkServer } from '../../testing/simulation/broker/network-server.ts'
import type { HistoryLimits, Stream } from '../broker.ts'

export interface BrokerNetworkOptions {
  /** Of streams whose topic says nothing. Default: 100 publications, 60 s. */
  readonly history?: HistoryLimits | false
  /** Of what is kept. Default: that of the machine. */
  readonly clock?: Pick<Clock, 'monotonic'>
  /** An integer from 0 to `below - 1`: what is lost when a connection is cut. Default: all of it. */
  readonly random?: (below: number) => number
  /** Steps are taken by the test alone, with `steps` or `next`. Default false: in their order, one at each turn of the event loop. */
  readonly manual?: boolean
}

/**
 * Several nodes in one process.
 *
 * @example
 * const network = createBrokerNetwork()
 * const one = await start({ …, broker: network.createBroker() })
 * const other = await start({ …, broker: network.createBroker() })
 */
export class BrokerNetwork {
  readonly server: NetworkServer
  readonly brokers: NetworkBroker[] = []
  readonly #options: Required<BrokerNetworkOptions>
  #isScheduled = false

  constructor(options: BrokerNetworkOptions) {
    this.#options = {
      history: { size: 100, ttlMs: 60_000 },
      clock: systemClock,
      random: () => 0,
      manual: false,
      ...options,
    }
    this.server = new NetworkServer(this.#options.clock, this.#options.history)
  }

  /** Of another node. */
  createBroker(): NetworkBroker {
    const { random } = this.#options
    const broker = new NetworkBroker(this.server, { random, changed: () => this.#schedule() })
    this.brokers.push(broker)
    return broker
  }

  /** All that can happen now. */
  steps(): Step[] {
    return this.brokers.flatMap((broker, i) =>
      broker.steps().map(({ what, run }) => ({ what: `node ${i}: ${what}`, run })),
    )
  }

  /** Takes the step that `pick` chooses. False: there is none. */
  next(pick: (steps: number) => number = () => 0): boolean {
    const steps = this.steps()
    steps[pick(steps.length)]?.run()
    return steps.length > 0
  }

  /** Resolves when nothing is left to happen, also by what that causes. */
  async settle(pick?: (steps: number) => number): Promise<void> {
    do {
      while (this.next(pick));
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.steps().length > 0)
  }

  /** The server ends and starts again with nothing in it; the nodes connect again one by one. */
  empty(): void {
    for (const broker of this.brokers) broker.cut({ comesBack: true })
    this.server.empty()
  }

  /** Only the last `keep` publications of a stream stay in its history. */
  trim(stream: Stream, keep: number): void {
    this.server.trim(stream, keep)
  }

  /** The lease of a node that was killed is over. */
  expire(nodeId: string): void {
    this.server.expire(nodeId)
  }

  #schedule(): void {
    if (this.#options.manual || this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.next()) this.#schedule()
    })
  }
}

export function createBrokerNetwork(options: BrokerNetworkOptions = {}): BrokerNetwork {
  return new BrokerNetwork(options)
}
