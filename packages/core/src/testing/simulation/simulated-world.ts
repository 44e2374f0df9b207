import type { EventTable, PkgIds, RouteTable } from '../../app/app-options.ts'
import { NetworkServer } from './broker/network-server.ts'
import { untilAtRest } from './event-loop.ts'
import { type FaultOptions, Faults } from './faults.ts'
import { History } from './history.ts'
import { Link, type NetworkDelays } from './link.ts'
import { createSeededRandom, type SeededRandom } from './seeded-random.ts'
import { createSimulatedClient, type SimulatedClient, type SimulatedClientOptions } from './simulated-client.ts'
import { SimulationNode } from './simulated-node.ts'
import type { Simulation, SimulationOptions } from './simulation.ts'
import { SimulationClock } from './simulation-clock.ts'

const defaultDelays: Required<NetworkDelays> = { minDelayMs: 0.1, maxDelayMs: 20 }
/** Longer than what client and server wait before they ask again. */
const quietMs = 5000

/** Implements {@link Simulation}, and makes time pass. */
export class SimulatedWorld<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable>
  implements Simulation<Routes, Events>
{
  readonly seed: number
  readonly random: SeededRandom
  readonly clock: SimulationClock = new SimulationClock()
  readonly history: History = new History(this.clock)
  readonly nodes: readonly SimulationNode<Ids, Routes, Events>[]
  readonly #maxMs: number
  readonly #delays: Required<NetworkDelays>
  readonly #network: SeededRandom
  readonly #clients: SimulatedClient<Routes, Events>[] = []
  readonly #links: Link[] = []
  readonly #invariants: { readonly name: string; readonly check: () => boolean | void }[] = []
  readonly #waiting = new Set<{ readonly isTrue: () => boolean; readonly resolve: () => void }>()
  readonly #faults: Faults
  #failure: { readonly error: unknown } | null = null

  constructor({ app, nodes = 1, network, maxMs = 600_000 }: SimulationOptions<Ids, Routes, Events>, seed: number) {
    this.seed = seed
    this.#maxMs = maxMs
    this.#delays = { ...defaultDelays, ...network }
    this.random = createSeededRandom(seed, 'schedule')
    this.#network = createSeededRandom(seed, 'network')
    const { clock, history } = this
    const { maxDelayMs } = this.#delays
    const server = new NetworkServer(clock, { size: 100, ttlMs: 60_000 })
    this.nodes = Array.from({ length: nodes }, (_, i) => {
      const name = `node ${i + 1}`
      const random = createSeededRandom(seed, name)
      const services = new Link({ clock, random: createSeededRandom(seed, `${name} services`), delays: this.#delays })
      this.#links.push(services)
      return new SimulationNode({ name, app, clock, history, server, random, services, maxDelayMs })
    })
    this.#faults = new Faults({
      clock,
      history,
      random: createSeededRandom(seed, 'faults'),
      clients: this.#clients,
      nodes: this.nodes,
    })
  }

  client(options: SimulatedClientOptions = {}): SimulatedClient<Routes, Events> {
    const { node } = options
    if (node !== undefined && this.nodes[node] === undefined)
      throw new RangeError(`client(): node must be an index from 0 to ${this.nodes.length - 1}, received ${node}`)
    const [first] = this.nodes.flatMap(({ app }) => app ?? [])
    if (first === undefined) throw new Error('client() needs a node that runs')
    const link = new Link({ clock: this.clock, random: this.#network, delays: this.#delays })
    const client = createSimulatedClient<Routes, Events>(options, {
      name: options.name ?? `client ${this.#clients.length + 1}`,
      link,
      manifest: first.manifest(),
      history: this.history,
      choose: () => this.#choose(node),
      onError: (error) => this.fail(error),
    })
    this.#clients.push(client)
    this.#links.push(link)
    return client
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.timer(ms, resolve))
  }

  until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => void this.#waiting.add({ isTrue, resolve }))
  }

  disturb(options: FaultOptions = {}): void {
    this.#faults.start(options)
  }

  async calm(): Promise<void> {
    this.history.add('calm')
    this.#faults.stop()
    for (const link of this.#links) link.release()
    for (const node of this.nodes) node.restoreBroker()
    // A start that was under way may fail by what was lost before.
    await Promise.all(this.nodes.map((node) => node.start().catch(() => node.start())))
    let busyAt = this.clock.monotonic()
    while (this.clock.monotonic() < busyAt + quietMs) {
      if (this.#isBusy()) busyAt = this.clock.monotonic()
      await this.sleep(100)
    }
  }

  invariant(name: string, check: () => boolean | void): void {
    this.#invariants.push({ name, check })
  }

  note(what: string): void {
    this.history.add(what)
  }

  /** The schedule fails with it as soon as it is seen. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  /** Makes time pass until it is done. Rejects with what it rejects with, and with what makes the schedule fail. */
  async run(work: () => Promise<void>): Promise<void> {
    let result: { readonly error: unknown } | 'done' | null = null
    const settle = (outcome: NonNullable<typeof result>): void => {
      result = outcome
    }
    void work().then(
      () => settle('done'),
      (error: unknown) => settle({ error }),
    )
    const read = (): typeof result => result
    for (;;) {
      await untilAtRest()
      if (this.#failure !== null) throw this.#failure.error
      this.#check()
      if (this.#wake()) continue
      if (this.clock.monotonic() > this.#maxMs)
        throw new Error(`The schedule has not ended after ${this.#maxMs} ms of its time (maxMs)`)
      const outcome = read()
      if (outcome === 'done') return
      if (outcome !== null) throw outcome.error
      if (!this.clock.runNext())
        throw new Error(
          'The schedule waits for something that never happens, or that happens outside of the simulation',
        )
    }
  }

  /** Closes clients and nodes. Rejects if a call of a node never ended. */
  async close(): Promise<void> {
    this.#faults.stop()
    for (const client of this.#clients) client.close()
    const unanswered = (await Promise.all(this.nodes.map((node) => node.close()))).flat()
    if (unanswered.length > 0) throw new Error(`Never answered: ${unanswered.join(', ')}`)
  }

  /** After a failure: nothing of it goes on. */
  abandon(): void {
    this.#faults.stop()
    for (const client of this.#clients) client.close()
    for (const node of this.nodes) node.kill()
  }

  #choose(index: number | undefined): SimulationNode<Ids, Routes, Events> | null {
    const candidates = (index === undefined ? this.nodes : this.nodes.slice(index, index + 1)).filter(
      ({ isUp }) => isUp,
    )
    return candidates.length === 0 ? null : this.#network.pick(candidates)
  }

  #isBusy(): boolean {
    return (
      this.#links.some(({ isBusy }) => isBusy) ||
      this.nodes.some(({ isBusy, isUp }) => isBusy || !isUp) ||
      this.#clients.some(({ status }) => status === 'connecting' || status === 'waiting')
    )
  }

  #check(): void {
    for (const { name, check } of this.#invariants)
      if (check() === false) throw new Error(`The invariant does not hold: ${name}`)
  }

  /** Whether one that waits goes on. */
  #wake(): boolean {
    let woken = false
    for (const waiting of this.#waiting) {
      if (!waiting.isTrue()) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
      woken = true
    }
    return woken
  }
}
