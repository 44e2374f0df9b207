import { linkBootError } from '../base/boot-error.ts'
import type { Environment } from '../base/environment.ts'
import type { DoctorReport } from '../base/finding.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Known } from '../base/known.ts'
import type { Logger } from '../base/logger.ts'
import type { Hub } from '../hub/hub.ts'
import type { TopicRules } from '../hub/topic.ts'
import { type AppDescription, describeApp } from '../route/describe.ts'
import type { AppOptions, EventTable, PkgIds, RouteTable } from './app-options.ts'
import { toDocsLinks } from './docs-option.ts'
import type { AppState } from './lifecycle/app-states.ts'
import { type AppManifest, createManifest } from './manifest.ts'
import { resolveOptions } from './resolve-options.ts'
import { RunningApp } from './running-app.ts'

/** Where an app is bound. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:8000` */
  readonly url: string
}

/** An application. `typeof app` carries its routes and events, so a client is typed without generated code. */
export interface App<out Routes extends RouteTable = RouteTable, out Events extends EventTable = EventTable> {
  /** Never set: carries the types. */
  readonly '~routes'?: Routes
  /** Never set: carries the types. */
  readonly '~events'?: Events
  readonly state: AppState
  /** Tells of each new state, at once and in order. Returns what stops it. */
  onState(listener: (state: AppState) => void): () => void
  readonly environment: Environment
  readonly hub: Hub
  readonly instruments: Instruments
  readonly log: Logger
  /** Sets up the plugins and compiles the routes, once; `listen` does it too. Rejects with a BootError that says what to change. */
  ready(): Promise<void>
  /**
   * Boots and serves. Default port 8000 on 127.0.0.1; port 0 takes a free one. Rejects with a BootError, after what was set up has
   * been closed again. A failure that nothing awaits is logged, and lets the process end with exit code 1.
   *
   * While it listens, promises of the application that fail unhandled are logged instead of ending the process: see the option
   * `unhandledRejections`.
   */
  listen(options?: { readonly port?: number; readonly host?: string }): Promise<ListenAddress>
  /** Drains and closes: refuses new work, lets calls in flight finish, ends connections with 1012, closes the plugins. Idempotent. */
  close(): Promise<void>
  /** Every route with its wires, steps in order and access. Complete, and allowed, once the app is ready. */
  describe(): AppDescription
  /**
   * What a client needs at run time, as plain data: names with their PkgIDs, methods and paths, the close codes. Write it to a file that pages
   * import. Complete, and allowed, once the app is ready; nothing has to listen.
   *
   * @example
   * await app.ready()
   * await writeFile('manifest.json', JSON.stringify(app.manifest()))
   */
  manifest(): AppManifest
  /**
   * Looks at the machine, the installation and the options for what would fail, or be open, later: glibc and Node, header limit, peers,
   * wildcards in production, limits, clocks, and what plugins add. Listens on nothing and connects to nothing; in any state.
   *
   * @example
   * const report = await app.doctor()
   * console.log(String(report))
   * if (!report.ok) process.exitCode = 1
   */
  doctor(): Promise<DoctorReport>
}

/**
 * Composes an application: routes by PkgID, events, endpoints and plugins. What is wrong with the table is a type error, and a
 * BootError besides; nothing is opened before `listen` or `ready`.
 *
 * @example
 * const PkgID = { GREET: 1 } as const
 * const greet = route({ http: 'GET /greetings', handler: () => ({ text: 'Hello' }) })
 * const app = createApp({ pkgIds: PkgID, routes: { GREET: greet } })
 * await app.listen({ port: 8000 })
 */
export function createApp<
  const Ids extends PkgIds,
  Routes extends RouteTable,
  Events extends EventTable = Record<never, never>,
  Topics = TopicRules,
>(options: AppOptions<Ids, Routes, Events, Topics>): App<Routes, Known<Events>> {
  const running = withLinks(options, () => new RunningApp(resolveOptions(options)))
  return {
    get state() {
      return running.state
    },
    onState: (listener) => running.onState(listener),
    environment: running.environment,
    hub: running.hub,
    instruments: running.instruments,
    log: running.log,
    ready: () => running.ready(),
    listen: (address = {}) => running.listen(address),
    close: () => running.close(),
    describe: () => {
      const { routes, events } = running.served('describe')
      return describeApp(routes, events)
    },
    manifest: () => createManifest(running.served('manifest')),
    doctor: () => running.doctor(),
  }
}

/** A boot error of these options has the links that they say. */
function withLinks<T>(
  options: Pick<AppOptions<PkgIds, RouteTable, EventTable, unknown>, 'docs' | 'plugins'>,
  create: () => T,
): T {
  try {
    return create()
  } catch (error) {
    linkBootError(error, toDocsLinks(options.docs, options.plugins))
    throw error
  }
}
