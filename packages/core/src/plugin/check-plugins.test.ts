import { describe, expect, it } from 'vitest'
import { checkPlugins, orderPlugins } from './check-plugins.ts'

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

describe('orderPlugins', () => {
  const names = (plugins: readonly ReturnType<typeof plugin>[]): readonly string[] =>
    orderPlugins(plugins).map(({ name }) => name)

  it('keeps the order of the list, but for what is required', () => {
    expect(names([plugin('a'), plugin('b'), plugin('c')])).toEqual(['a', 'b', 'c'])
    expect(names([plugin('a', 'c'), plugin('b', 'a'), plugin('c')])).toEqual(['c', 'a', 'b'])
  })

  it('ends for a circle', () => {
    expect(names([plugin('a', 'b'), plugin('b', 'a')])).toEqual(['b', 'a'])
  })
})
