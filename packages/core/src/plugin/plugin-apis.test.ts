import { describe, expect, it } from 'vitest'
import type { Plugin } from '../index.ts'
import { definePlugin, type PluginHost, pluginKey } from '../plugin.ts'
import { boot, expectBootError } from '../testing/boot.fixtures.ts'
import { plugin } from '../testing/suite.fixtures.ts'
import { createTestApp } from '../testing.ts'

const storeKey = pluginKey('store').of<{ readonly size: number }>()
const otherStoreKey = pluginKey('store').of<{ readonly size: number }>()
const store = (log: string[] = []): Plugin =>
  definePlugin(storeKey, {
    setup: (host) => {
      log.push('store')
      host.onClose(() => void log.push('store closed'))
      return { size: 3 }
    },
  })
const asking = (ask: (host: PluginHost) => void, requires: readonly string[] = []): Plugin => ({
  ...plugin((host) => host.onReady(() => ask(host)), 'asking'),
  requires,
})

describe('the API of another plugin', () => {
  it('is there from onReady on; what is required is set up before, and closed after', async () => {
    const log: string[] = []
    const own: Plugin = {
      name: 'own',
      requires: ['store'],
      setup: (host) => {
        log.push('own')
        host.onReady(() => void log.push(`size ${host.api(storeKey).size}`))
        host.onClose(() => void log.push('own closed'))
      },
    }
    const test = await createTestApp({ pkgIds: {}, routes: {}, plugins: [own, store(log)] })
    await test.close()
    expect(log).toEqual(['store', 'own', 'size 3', 'own closed', 'store closed'])
  })

  it.each([
    [
      'that is not installed',
      [],
      'missing_plugin',
      "Plugin 'asking' uses the plugin 'store', which is not installed: add store() to plugins",
    ],
    [
      'by the key of another copy',
      [definePlugin(otherStoreKey, { setup: () => ({ size: 1 }) })],
      'mismatched_plugin_key',
      "Plugin 'asking' uses another plugin 'store' than the one installed: two copies of its package, or of @twinwire/core, are installed",
    ],
  ] as const)('%s is a boot error', async (_case, plugins, code, message) => {
    expectBootError(await boot({ plugins: [...plugins, asking((host) => host.api(storeKey))] }), code, message)
  })

  it('during setup is a boot error', async () => {
    const early = plugin((host) => void host.api(storeKey), 'early')
    expectBootError(
      await boot({ plugins: [store(), early] }),
      'wrong_state',
      "Plugin 'early' asked for the API of 'store' before all plugins were set up: call host.api() in onReady or later",
    )
  })
})
