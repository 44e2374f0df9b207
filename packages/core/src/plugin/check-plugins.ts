import { BootError } from '../base/boot-error.ts'
import type { Plugin } from './plugin.ts'

/** The plugins in the order of the list, each after those that it requires. A circle keeps the order of the list. */
export function orderPlugins(plugins: readonly Plugin[]): readonly Plugin[] {
  const ordered = new Set<Plugin>()
  const visiting = new Set<Plugin>()
  const visit = (plugin: Plugin): void => {
    if (ordered.has(plugin) || visiting.has(plugin)) return
    visiting.add(plugin)
    for (const name of plugin.requires ?? []) {
      const required = plugins.find((each) => each.name === name)
      if (required !== undefined) visit(required)
    }
    ordered.add(plugin)
  }
  for (const plugin of plugins) visit(plugin)
  return [...ordered]
}

/** @throws BootError for two plugins with the same name, or a plugin without the ones it requires. */
export function checkPlugins(plugins: readonly Plugin[]): void {
  const names = new Set<string>()
  for (const [i, plugin] of plugins.entries()) {
    // `plugins: [auth]`, where types are not checked.
    if (typeof plugin?.setup !== 'function') {
      const hint = typeof plugin === 'function' ? `: call it, as in plugins: [${Reflect.get(plugin, 'name')}(…)]` : ''
      throw new BootError('bad_option', `plugins[${i}] is not a plugin${hint}`)
    }
    const { name } = plugin
    if (names.has(name)) throw new BootError('duplicate_plugin', `Plugin '${name}' is in the list twice: remove one`)
    names.add(name)
  }
  for (const { name, requires = [] } of plugins) {
    const missing = requires.find((required) => !names.has(required))
    if (missing !== undefined)
      throw new BootError(
        'missing_plugin',
        `Plugin '${name}' requires the plugin '${missing}', which is not installed: add ${missing}() to plugins`,
      )
  }
}
