import type { EventTable, PkgIds, RouteTable } from '../../app/app-options.ts'
import { checkSimulation } from './check-options.ts'
import { createSeededRandom } from './seeded-random.ts'
import { replaceGlobals } from './simulated-globals.ts'
import { SimulatedWorld } from './simulated-world.ts'
import type { Simulation, SimulationOptions } from './simulation.ts'
import { SimulationFailure, seedOfEnvironment } from './simulation-failure.ts'

/** What `simulate` and `runSchedules` play. */
export type Schedule<Routes extends RouteTable, Events extends EventTable> = (
  sim: Simulation<Routes, Events>,
) => Promise<void>

/** A schedule that has been played. */
export interface PlayedSchedule {
  readonly seed: number
  /** All that happened, one line each, with the time in milliseconds. The same seed has the same lines. */
  readonly history: readonly string[]
}

/** A simulation replaces globals of the process. */
let isRunning = false

/**
 * Plays one schedule of an app: its nodes, a broker and clients of `@twinwire/client` in one process, on simulated networks and a simulated
 * clock. Delays, losses and the order of everything that may come in another order are chosen by the seed: the same seed plays the same
 * schedule again. Time passes only when nothing else is left to do, so an hour takes no longer than what happens in it.
 *
 * While it runs, `Date`, `setTimeout` (also of `node:timers/promises`), `setInterval`, `performance.now`, `Math.random` and the random values of `crypto` are those of the
 * simulation, for the whole process: one simulation at a time. Work outside of the process (sockets, a PostgreSQL) is not waited for, and not
 * repeated by a seed; nor is work of threads (`zlib`, asynchronous `crypto`).
 *
 * @throws SimulationFailure when the schedule throws, an invariant does not hold, a timer or a listener throws, a rejection is unhandled,
 * a call of a node never ends, or nothing is left to happen. Its message has the seed and the last lines of the history.
 * @throws TypeError for options that would play nothing
 * @throws Error when another one runs
 *
 * @example
 * await simulate({ nodes: 2, app: () => ({ pkgIds, routes, events, topics }), seed: 7 }, async (sim) => {
 *   const ann = sim.client()
 *   sim.disturb()
 *   await ann.call('SAY', { text: 'Hello' })
 * })
 */
export async function simulate<
  const Ids extends PkgIds,
  Routes extends RouteTable,
  Events extends EventTable = Record<never, never>,
>(
  { seed = seedOfEnvironment() ?? 1, ...options }: SimulationOptions<Ids, Routes, Events> & { readonly seed?: number },
  schedule: Schedule<Routes, Events>,
): Promise<PlayedSchedule> {
  checkSimulation({ ...options, seed })
  const { history, failure } = await play(options, seed, schedule)
  if (failure !== null) throw new SimulationFailure(seed, history, failure.cause)
  return { seed, history }
}

/**
 * Plays a schedule with `runs` seeds, from `seed` on. Stops at the first that fails, and plays that one again to say whether its seed repeats
 * it. With the environment variable `TWINWIRE_SIMULATION_SEED` it plays that seed alone.
 *
 * @throws SimulationFailure as `simulate`
 *
 * @example
 * await runSchedules({ runs: 1000, nodes: 2, app: () => ({ pkgIds, routes, events, topics }) }, async (sim) => {
 *   const [ann, bob] = [sim.client(), sim.client()]
 *   const seen: string[] = []
 *   await bob.subscribe('chat', { onEvent: ({ data }) => void seen.push(data.text) }).ready
 *   await ann.call('SAY', { text: 'Hello' })
 *   await sim.until(() => seen.length === 1)
 * })
 */
export async function runSchedules<
  const Ids extends PkgIds,
  Routes extends RouteTable,
  Events extends EventTable = Record<never, never>,
>(
  {
    runs,
    seed: first = 1,
    before,
    ...options
  }: SimulationOptions<Ids, Routes, Events> & {
    /** How many seeds. */
    readonly runs: number
    /** The first one. Default 1. */
    readonly seed?: number
    /** Before each schedule, outside of it: such as `reset` of a test database. */
    readonly before?: () => Promise<void>
  },
  schedule: Schedule<Routes, Events>,
): Promise<void> {
  checkSimulation({ ...options, seed: first, runs })
  const only = seedOfEnvironment()
  const seeds = only === null ? Array.from({ length: runs }, (_, i) => first + i) : [only]
  for (const seed of seeds) {
    await before?.()
    const { history, failure } = await play(options, seed, schedule)
    if (failure === null) continue
    await before?.()
    const again = await play(options, seed, schedule)
    throw new SimulationFailure(seed, history, failure.cause, compared(history, again.history))
  }
}

interface Played {
  readonly history: readonly string[]
  readonly failure: { readonly cause: unknown } | null
}

async function play<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable>(
  options: SimulationOptions<Ids, Routes, Events>,
  seed: number,
  schedule: Schedule<Routes, Events>,
): Promise<Played> {
  if (isRunning) throw new Error('Another simulation runs in this process: await it first')
  const world = new SimulatedWorld(options, seed)
  const restore = replaceGlobals(
    world.clock,
    createSeededRandom(seed, 'Math.random'),
    createSeededRandom(seed, 'crypto'),
  )
  isRunning = true
  const onRejection = (error: unknown): void => world.fail(error)
  // The listener of the test runner receives it too, and reports it.
  process.on('unhandledRejection', onRejection)
  try {
    await world.run(async () => {
      for (const node of world.nodes) await node.start()
      await schedule(world)
    })
    await world.run(() => world.close())
    return { history: world.history.lines, failure: null }
  } catch (cause) {
    const history = [...world.history.lines]
    world.abandon()
    return { history, failure: { cause } }
  } finally {
    process.off('unhandledRejection', onRejection)
    restore()
    isRunning = false
  }
}

/** Whether the seed is all that decides. */
function compared(first: readonly string[], second: readonly string[]): string {
  const line = first.findIndex((each, i) => each !== second[i])
  if (line === -1 && first.length === second.length)
    return `\nPlayed again, everything was the same (${first.length} lines)`
  const at = line === -1 ? first.length : line
  return `\nPlayed again, it went otherwise from line ${at + 1} on, so something is decided outside of the simulation:\n- ${first[at] ?? 'the end'}\n+ ${second[at] ?? 'the end'}`
}
