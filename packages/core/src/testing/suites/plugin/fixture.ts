import { type App, createApp } from '../../../app/app.ts'
import type { AppOptions, EventTable, PkgIds, RouteTable } from '../../../app/app-options.ts'
import { BootError } from '../../../base/boot-error.ts'
import type { Plugin } from '../../../plugin/plugin.ts'
import { createTestApp, type TestApp } from '../../create-test-app.ts'
import { memoryTransport } from '../../memory-transport/memory-transport.ts'
import { createTestLogger, type LogLine } from '../../test-logger.ts'
import type { PluginSubject } from './subject.ts'
import { type WatchedPlugin, watchPlugin } from './watched-plugin.ts'

/** How the tests make apps with the plugin. */
export interface PluginFixture<Routes extends RouteTable, Events extends EventTable> {
  readonly name: string
  readonly namespace: string
  /** An app that serves. `more`: plugins after those of the subject. */
  start(more?: readonly Plugin[]): Promise<{ readonly test: TestApp<Routes, Events>; readonly watched: WatchedPlugin }>
  /** An app that was not started. */
  create(
    plugin: Plugin,
    more?: readonly Plugin[],
  ): { readonly app: App<Routes, Events>; readonly logs: readonly LogLine[] }
  exercise(test: TestApp<Routes, Events>, n: number): Promise<void>
  /** Starts an app with this plugin, and closes it. Resolves with the BootError, or with null if it starts. Rejects for another error. */
  bootError(create: () => Plugin, more?: readonly Plugin[]): Promise<BootError | null>
  /** Is the code of an error one of core, or under the namespace of the plugin? */
  isOwn(code: string): boolean
}

/** A shorter drain, so that a test of it is short. */
const drainTimeoutMs = 300
/** For one hook `onClose`. */
const closeTimeoutMs = 1000

export function createPluginFixture<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable>(
  subject: PluginSubject<Ids, Routes, Events>,
): PluginFixture<Routes, Events> {
  const { name } = subject.createPlugin()
  const { namespace = name } = subject
  const optionsOf = (plugin: Plugin, more: readonly Plugin[]): AppOptions<Ids, Routes, Events> => {
    const options = subject.createApp(plugin)
    return { drainTimeoutMs, closeTimeoutMs, ...options, plugins: [...(options.plugins ?? []), ...more] }
  }
  const create: PluginFixture<Routes, Events>['create'] = (plugin, more = []) => {
    const log = createTestLogger()
    const quiet = { environment: 'test', log, transport: memoryTransport(), unhandledRejections: false } as const
    // A literal, since `createApp` takes the types of its tables from the options alone.
    return { app: createApp<Ids, Routes, Events>({ ...quiet, ...optionsOf(plugin, more) }), logs: log.lines }
  }
  return {
    name,
    namespace,
    create,
    async start(more = []) {
      const watched = watchPlugin(subject.createPlugin())
      const test = await createTestApp<Ids, Routes, Events>(optionsOf(watched.plugin, more))
      return { test, watched }
    },
    exercise: async (test, n) => subject.exercise(test, n),
    async bootError(createPlugin, more) {
      let app: App<Routes, Events> | null = null
      try {
        app = create(createPlugin(), more).app
        await app.ready()
        return null
      } catch (error) {
        if (error instanceof BootError) return error
        throw error
      } finally {
        await app?.close()
      }
    },
    isOwn: (code) => !code.includes('.') || code.startsWith(`${namespace}.`),
  }
}
