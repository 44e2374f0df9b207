import type { EventTable, PkgIds, RouteTable } from '../../app/app-options.ts'
import type { TestRunner } from '../test-runner.ts'
import { pluginDeclarationsSuite } from './plugin/declarations.suite.ts'
import { createPluginFixture } from './plugin/fixture.ts'
import { pluginLifecycleSuite } from './plugin/lifecycle.suite.ts'
import { pluginOptionsSuite } from './plugin/options.suite.ts'
import { pluginSettingsSuite } from './plugin/settings.suite.ts'
import type { PluginSubject } from './plugin/subject.ts'

/**
 * Tests that every plugin should pass. It works in an app, twice in a process, and not twice in an app; it closes within the drain, and after a boot that
 * failed, without timers and handles left; its options and settings are checked; its errors and instruments are under its name, and its series are bounded;
 * its endpoints state their access, its health checks answer, and no rejection is unhandled. A test takes up to some seconds.
 *
 * @example
 * import * as vitest from 'vitest'
 * pluginSuite(vitest, {
 *   createPlugin: () => flags(['beta']),
 *   createApp: (plugin) => ({ pkgIds: { TRY: 1 }, routes: { TRY: tryBeta }, plugins: [plugin] }),
 *   exercise: async ({ client }) => void (await (await client()).call('TRY')),
 * })
 */
export function pluginSuite<
  const Ids extends PkgIds,
  Routes extends RouteTable,
  Events extends EventTable = Record<never, never>,
>(runner: TestRunner, subject: PluginSubject<Ids, Routes, Events>): void {
  const fixture = createPluginFixture(subject)
  const { options, settings } = subject
  const rejections: unknown[] = []
  const hear = (reason: unknown): void => void rejections.push(reason)

  runner.describe(`the plugin ${fixture.name}`, () => {
    runner.beforeEach(() => void process.on('unhandledRejection', hear))
    runner.afterEach(async () => {
      // A rejection of this turn is reported in the next one.
      await new Promise((resolve) => setImmediate(resolve))
      process.off('unhandledRejection', hear)
      runner.expect(rejections.splice(0)).toEqual([])
    })
    pluginLifecycleSuite(runner, fixture, () => subject.createPlugin())
    pluginDeclarationsSuite(runner, fixture, subject)
    if (options !== undefined) pluginOptionsSuite(runner, fixture, options)
    if (settings !== undefined) pluginSettingsSuite(runner, fixture, settings)
  })
}
