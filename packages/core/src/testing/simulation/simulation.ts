import type { AppOptions, EventTable, PkgIds, RouteTable } from '../../app/app-options.ts'
import type { FaultOptions } from './faults.ts'
import type { NetworkDelays } from './link.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedClient, SimulatedClientOptions } from './simulated-client.ts'
import type { SimulatedNode, SimulatedProcess } from './simulated-node.ts'

/** What `simulate` and `runSchedules` need of an app. */
export interface SimulationOptions<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable> {
  /**
   * The options of `createApp`, for each process that starts. `transport`, `clock` and `log` are those of the simulation; `broker` too, unless
   * they name another one.
   */
  readonly app: (process: SimulatedProcess) => AppOptions<Ids, Routes, Events>
  /** Processes of the app. Default 1. */
  readonly nodes?: number
  /** Between clients and nodes, and as maximum between two steps of a node and its broker. */
  readonly network?: NetworkDelays
  /** Milliseconds of the simulated time that a schedule may take. Default 600,000. */
  readonly maxMs?: number
}

/** The world of one schedule. Nothing in it happens but by its seed. */
export interface Simulation<Routes extends RouteTable, Events extends EventTable> {
  readonly seed: number
  /** For choices of the schedule itself. */
  readonly random: SeededRandom
  /** In their order; all run when the schedule begins. */
  readonly nodes: readonly SimulatedNode[]
  /** Another client of the app. It connects with its first call over WebSocket, `subscribe` or `on`. */
  client(options?: SimulatedClientOptions): SimulatedClient<Routes, Events>
  /** Resolves after this time of the simulation, in milliseconds. */
  sleep(ms: number): Promise<void>
  /** Resolves when it is true, which is asked after each thing that happens. */
  until(isTrue: () => boolean): Promise<void>
  /** Begins to disturb clients and nodes at random, until `calm` or the end of the schedule. Throws a TypeError for wrong options. */
  disturb(options?: FaultOptions): void
  /**
   * Ends all faults: links are released, brokers restored, nodes started. Resolves when each client that was connected is so again, and nothing
   * has been on its way for 5 simulated seconds.
   */
  calm(): Promise<void>
  /** From now on checked after each thing that happens. The schedule fails with what `check` throws, or with the name if it returns false. */
  invariant(name: string, check: () => boolean | void): void
  /** Adds a line to the history. */
  note(what: string): void
}
