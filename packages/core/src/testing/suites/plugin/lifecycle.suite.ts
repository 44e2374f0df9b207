import type { EventTable, RouteTable } from '../../../app/app-options.ts'
import type { Plugin } from '../../../plugin/plugin.ts'
import { route } from '../../../route/route.ts'
import type { LogLine } from '../../test-logger.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred, eventually } from '../helpers.ts'
import type { PluginFixture } from './fixture.ts'
import { type OpenResources, watchResources } from './open-resources.ts'
import { watchPlugin } from './watched-plugin.ts'

/** How long timers and handles may take to end when the app is closed. */
const endWithinMs = 2000
const heldPath = '/plugin-suite/held'

export function pluginLifecycleSuite<Routes extends RouteTable, Events extends EventTable>(
  { describe, it, expect }: TestRunner,
  fixture: PluginFixture<Routes, Events>,
  createPlugin: () => Plugin,
): void {
  const { start, exercise, name } = fixture
  const expectClosed = async (resources: OpenResources, logs: readonly LogLine[]): Promise<void> => {
    expect(
      logs.filter(({ message, fields }) => message === 'A plugin failed to close' && fields.plugin === name),
    ).toEqual([])
    await eventually(() => expect(resources.left()).toEqual([]), endWithinMs)
  }

  describe('life cycle', () => {
    it('boots, and what it is for works', async () => {
      const { test } = await start()
      await exercise(test, 0)
      await test.close()
    })

    it('is refused twice in one app, as duplicate_plugin', async () => {
      const error = await fixture.bootError(createPlugin, [createPlugin()])
      expect(error?.code).toBe('duplicate_plugin')
    })

    it('works in two apps of one process, and in one when the other has closed', async () => {
      const [one, other] = [await start(), await start()]
      await Promise.all([exercise(one.test, 1), exercise(other.test, 2)])
      await one.test.close()
      await exercise(other.test, 3)
      await other.test.close()
    })

    it('closes within the drain while calls are in flight, and leaves no timer or handle', async () => {
      // What a process makes once is made by the first app.
      const first = await start()
      await exercise(first.test, 0)
      await first.test.close()

      const resources = watchResources()
      try {
        const { watched, logs } = await resources.run(async () => {
          const held = holdCalls()
          const { test, watched } = await start([held.plugin])
          const calls = Promise.allSettled([
            test.request(`GET ${heldPath}`),
            ...[1, 2, 3, 4].map((n) => exercise(test, n)),
          ])
          await held.begun
          // A hook that takes longer than `closeTimeoutMs` is logged.
          await test.app.close()
          await test.close({ abandon: true })
          await calls
          return { watched, logs: test.logs }
        })
        expect(watched.open()).toBe(0)
        await expectClosed(resources, logs)
      } finally {
        resources.stop()
      }
    })

    for (const [when, failing] of failures) {
      it(`is closed when ${when}`, async () => {
        const resources = watchResources()
        try {
          const watched = watchPlugin(createPlugin())
          const logs = await resources.run(async () => {
            const { app, logs } = fixture.create(watched.plugin, [failing])
            await expect(app.ready()).rejects.toThrow('The boot fails')
            return logs
          })
          expect(watched.open()).toBe(0)
          await expectClosed(resources, logs)
        } finally {
          resources.stop()
        }
      })
    }
  })
}

const fail = (): never => {
  throw new Error('The boot fails')
}
const failures: readonly [when: string, failing: Plugin][] = [
  ['a plugin after it fails in its setup', { name: 'plugin-suite', setup: fail }],
  ['the app fails when all is set up', { name: 'plugin-suite', setup: ({ onReady }) => onReady(fail) }],
]

/** An endpoint whose calls last until they are aborted. */
function holdCalls(): { readonly plugin: Plugin; readonly begun: Promise<void> } {
  const { promise, resolve } = deferred<void>()
  const held = route({
    http: `GET ${heldPath}`,
    access: 'public',
    handler: (_input, { signal }) =>
      new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        resolve()
      }),
  })
  return { plugin: { name: 'plugin-suite', setup: (host) => host.endpoint(held) }, begun: promise }
}
