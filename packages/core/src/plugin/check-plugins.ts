import { BootError } from '../errors/boot-error.ts'
import type { Plugin } from './plugin.ts'

/** Two of one name, or one without what it requires. */
export function checkPlugins(plugins: readonly Plugin[]): void {
  const names = new Set<string>()
  for (const { name } of plugins) {
    if (names.has(name)) throw new BootError('plugin_duplicate', `Plugin '${name}' is in the list twice: remove one`)
    names.add(name)
  }
  for (const { name, requires = [] } of plugins) {
    const missing = requires.find((required) => !names.has(required))
    if (missing !== undefined)
      throw new BootError('plugin_missing', `Plugin '${name}' requires the plugin '${missing}': add it to plugins`)
  }
}
