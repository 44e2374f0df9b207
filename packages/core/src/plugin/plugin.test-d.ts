import { describe, expectTypeOf, test } from 'vitest'
import { type AnyPluginKey, type PluginKey, pluginKey } from '../base/plugin-key.ts'
import type { PluginHost } from './host.ts'
import { definePlugin, type Plugin } from './plugin.ts'

interface FlagsApi {
  isOn(flag: string): boolean
}
const flagsKey = pluginKey('flags').of<FlagsApi>()

describe('pluginKey', () => {
  test('carries its name and its API', () => {
    expectTypeOf(flagsKey).toEqualTypeOf<PluginKey<'flags', FlagsApi>>()
    expectTypeOf(flagsKey).toExtend<AnyPluginKey>()
  })

  test('of another API is another key, in both directions', () => {
    const more = pluginKey('flags').of<FlagsApi & { all(): string[] }>()
    expectTypeOf(more).not.toExtend<typeof flagsKey>()
    expectTypeOf(flagsKey).not.toExtend<typeof more>()
  })
})

describe('definePlugin', () => {
  test('sets up the API of its key, now or later', () => {
    const flags = definePlugin(flagsKey, {
      requires: ['database'],
      setup: (host) => {
        expectTypeOf(host).toEqualTypeOf<PluginHost>()
        return { isOn: (flag) => flag.length > 0 }
      },
    })
    expectTypeOf(flags).toEqualTypeOf<Plugin<FlagsApi>>()
    expectTypeOf(flags).toExtend<Plugin>()
    definePlugin(flagsKey, { setup: async () => ({ isOn: () => true }) })
    // @ts-expect-error not the API
    definePlugin(flagsKey, { setup: () => ({ isOff: () => true }) })
    // @ts-expect-error nothing to bind steps to
    definePlugin(flagsKey, { setup: () => {} })
  })

  test('may have no API', () => {
    definePlugin(pluginKey('silent').of<void>(), { setup: () => {} })
  })
})
