import { describe, expect, it } from 'vitest'
import { checkPlugins } from './check-plugins.ts'

const plugin = (name: string, ...requires: string[]) => ({ name, requires, setup: () => {} })

describe('the plugins of an app', () => {
  it('may stand in any order', () => {
    expect(() => checkPlugins([])).not.toThrow()
    expect(() =>
      checkPlugins([plugin('auth', 'database'), plugin('database'), { name: 'x', setup: () => {} }]),
    ).not.toThrow()
  })

  it('are there once each', () => {
    expect(() => checkPlugins([plugin('auth'), plugin('other'), plugin('auth')])).toThrow(
      expect.objectContaining({ code: 'duplicate_plugin', message: "Plugin 'auth' is in the list twice: remove one" }),
    )
  })

  it('have what they require', () => {
    expect(() => checkPlugins([plugin('auth', 'clock', 'database'), plugin('clock')])).toThrow(
      expect.objectContaining({
        code: 'missing_plugin',
        message: "Plugin 'auth' requires the plugin 'database', which is not installed: add database() to plugins",
      }),
    )
  })
})
