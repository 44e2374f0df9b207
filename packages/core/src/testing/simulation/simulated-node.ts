import { type App, createApp } from '../../app/app.ts'
import type { AppOptions, EventTable, PkgIds, RouteTable } from '../../app/app-options.ts'
import type { Clock } from '../../base/clock.ts'
import { type Logger, type LogLevel, logLevels } from '../../base/logger.ts'
import type { Call } from '../../call/call.ts'
import type { Broker } from '../../hub/broker.ts'
import type { Plugin } from '../../plugin/plugin.ts'
import { type MemoryTransport, memoryTransport } from '../memory-transport/memory-transport.ts'
import { NetworkBroker } from './broker/network-broker.ts'
import type { NetworkServer } from './broker/network-server.ts'
import type { History } from './history.ts'
import type { Link, SimulatedLink } from './link.ts'
import type { SeededRandom } from './seeded-random.ts'
import { LinkedService, type ServiceConnection, type ServiceEnds } from './service-link.ts'
import type { ServerProcess } from './simulated-socket.ts'
import { ProcessClock, type SimulationClock } from './simulation-clock.ts'

/** One process of a node, for the function that makes its app: a node that was killed and started again has another one. */
export interface SimulatedProcess {
  /** `node 1` */
  readonly node: string
  /** Of the app, unless its options name another one, such as a wrapper around it. */
  readonly broker: Broker
  /** Its timers end with the process. */
  readonly clock: Clock
  /** Called when the process is killed: what it holds outside of itself ends. */
  onKill(listener: () => void): void
  /**
   * Connects to a service that the application simulates, such as a database (`createSimulatedDatabase` is one): what is sent arrives late and in
   * order. The network may be cut, by the fault `service` or by `SimulatedNode.services`; then, and when the process is killed, a random part of what is
   * on its way still arrives.
   */
  connect(service: string, ends: ServiceEnds): ServiceConnection
}

/** One process of the app, or the place of one that was killed. */
export interface SimulatedNode {
  /** `node 1` */
  readonly name: string
  readonly isUp: boolean
  /** The network between it and the services that its processes connect to (`SimulatedProcess.connect`). */
  readonly services: SimulatedLink
  /**
   * Ends its process without a word: its clients are cut off, its timers stop, it reaches neither clients nor broker, and the broker forgets it
   * 15 seconds later. What its code does in memory goes on, unseen, until it waits for one of those.
   */
  kill(): void
  /** Starts another process in its place. Does nothing while one runs. */
  start(): Promise<void>
  /** It cannot reach the broker until `restoreBroker`: requests fail, and a random part of what was on its way is lost. */
  cutBroker(): void
  restoreBroker(): void
}

/** What a node needs of its simulation. */
export interface NodeSurroundings<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable> {
  readonly name: string
  readonly app: (process: SimulatedProcess) => AppOptions<Ids, Routes, Events>
  readonly clock: SimulationClock
  readonly history: History
  readonly server: NetworkServer
  readonly random: SeededRandom
  readonly services: Link
  /** Between two steps of its broker, at most. */
  readonly maxDelayMs: number
}

interface Running<Routes extends RouteTable, Events extends EventTable> {
  readonly app: App<Routes, Events>
  readonly transport: MemoryTransport
  readonly broker: NetworkBroker
  readonly clock: ProcessClock
  readonly calls: Set<Call>
  readonly killed: Set<() => void>
}

/** As long as a broker keeps a node that has ended without a word. */
const nodeLeaseMs = 15_000

export class SimulationNode<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable>
  implements SimulatedNode, ServerProcess
{
  readonly name: string
  readonly services: Link
  readonly #around: NodeSurroundings<Ids, Routes, Events>
  #running: Running<Routes, Events> | null = null
  #starting: Promise<void> | null = null
  #isBrokerAway = false

  constructor(around: NodeSurroundings<Ids, Routes, Events>) {
    this.name = around.name
    this.services = around.services
    this.#around = around
  }

  get isUp(): boolean {
    return this.#running !== null
  }

  get transport(): MemoryTransport | null {
    return this.#running?.transport ?? null
  }

  get app(): App<Routes, Events> | null {
    return this.#running?.app ?? null
  }

  /** Something can still happen between it and the broker, or a service. */
  get isBusy(): boolean {
    return this.services.isBusy || (this.#running?.broker.steps().length ?? 0) > 0
  }

  onKill(listener: () => void): () => void {
    const killed = this.#running?.killed
    killed?.add(listener)
    return () => void killed?.delete(listener)
  }

  async start(): Promise<void> {
    if (this.#running !== null) return
    this.#starting ??= this.#boot().finally(() => {
      this.#starting = null
    })
    await this.#starting
  }

  kill(): void {
    const running = this.#running
    if (running === null) return
    this.#around.history.add(`${this.name} is killed`)
    this.#running = null
    const { nodeId } = running.broker
    running.broker.kill()
    running.clock.stop()
    running.transport.stopAccepting()
    for (const listener of running.killed) listener()
    if (nodeId !== null) this.#around.clock.timer(nodeLeaseMs, () => this.#around.server.expire(nodeId))
  }

  cutBroker(): void {
    this.#isBrokerAway = true
    if (this.#running?.broker.isCut !== false) return
    this.#around.history.add(`${this.name} cannot reach the broker`)
    this.#running.broker.cut()
  }

  restoreBroker(): void {
    this.#isBrokerAway = false
    if (this.#running?.broker.isCut !== true) return
    this.#around.history.add(`${this.name} reaches the broker`)
    this.#running.broker.restore()
  }

  /** Drains and closes. Returns the calls that never ended. */
  async close(): Promise<readonly string[]> {
    const running = this.#running
    if (running === null) return []
    await running.app.close()
    this.#running = null
    return [...running.calls].map(({ route }) => `${route.name} on ${this.name}`)
  }

  async #boot(): Promise<void> {
    const { name, history, clock: shared, app: optionsOf } = this.#around
    history.add(`${name} starts`)
    const clock = new ProcessClock(shared)
    const transport = memoryTransport({ clock })
    const broker = this.#createBroker(clock)
    const killed = new Set<() => void>()
    const calls = new Set<Call>()
    const options = optionsOf({
      node: name,
      broker,
      clock,
      onKill: (listener) => void killed.add(listener),
      connect: (service, ends) => {
        const connection = new LinkedService({ process: name, service, link: this.services, history }, ends)
        killed.add(() => connection.killed())
        return connection
      },
    })
    const app = createApp<Ids, Routes, Events>({
      environment: 'test',
      broker,
      ...options,
      unhandledRejections: false,
      clock,
      transport,
      log: historyLogger(history, name),
      plugins: [...(options.plugins ?? []), watchCalls(calls)],
    })
    await app.listen({ port: 0 })
    this.#running = { app, transport, broker, clock, calls, killed }
    if (this.#isBrokerAway) broker.cut()
    history.add(`${name} serves`)
  }

  /** One step after the other, each at a random time, chosen among those that can happen then. */
  #createBroker(clock: Clock): NetworkBroker {
    const { server, random, maxDelayMs, history, name } = this.#around
    let isScheduled = false
    const changed = (): void => {
      if (isScheduled || broker.steps().length === 0) return
      isScheduled = true
      clock.timer(random.float() * maxDelayMs, () => {
        isScheduled = false
        const steps = broker.steps()
        if (steps.length === 0) return
        const { what, run } = random.pick(steps)
        history.add(`${name} broker: ${what}`)
        run()
        changed()
      })
    }
    const broker: NetworkBroker = new NetworkBroker(server, {
      random: (below) => random.integer(0, below - 1),
      changed,
    })
    return broker
  }
}

/** Follows calls; the last plugin of the app. */
function watchCalls(calls: Set<Call>): Plugin {
  return {
    name: 'simulation-calls',
    setup(host) {
      host.onCall((call) => void calls.add(call))
      host.onReply((call) => void calls.delete(call))
    },
  }
}

/** Warnings and errors are lines of the history. */
function historyLogger(history: History, node: string): Logger {
  const write =
    (level: LogLevel) =>
    (first: object | string, second = ''): void => {
      if (logLevels.indexOf(level) < logLevels.indexOf('warn')) return
      const message = typeof first === 'string' ? first : second
      const error = typeof first === 'object' && 'err' in first ? `: ${String(first.err)}` : ''
      history.add(`${node} logs ${level}: ${message}${error}`)
    }
  const log: Logger = {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    child: () => log,
  }
  return log
}
