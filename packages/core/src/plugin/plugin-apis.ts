import { BootError } from '../base/boot-error.ts'
import type { AnyPluginKey, PluginKey } from '../base/plugin-key.ts'

/** What the `setup` of each plugin returned, by its name. */
export type PluginApis = Map<string, InstalledApi>

interface InstalledApi<Api = unknown> {
  readonly key: AnyPluginKey | null
  readonly api: Api
}

/**
 * The API of another plugin, for the plugin `asking`. `apis` is null until all are set up.
 *
 * @throws BootError `wrong_state`, `missing_plugin`, `mismatched_plugin_key`
 */
export function findPluginApi<Api>(apis: PluginApis | null, asking: string, key: PluginKey<string, Api>): Api {
  const { name } = key
  if (apis === null)
    throw new BootError(
      'wrong_state',
      `Plugin '${asking}' asked for the API of '${name}' before all plugins were set up: call host.api() in onReady or later`,
    )
  const found = apis.get(name)
  if (found === undefined)
    throw new BootError(
      'missing_plugin',
      `Plugin '${asking}' uses the plugin '${name}', which is not installed: add ${name}() to plugins`,
    )
  if (!isOf(key, found))
    throw new BootError(
      'mismatched_plugin_key',
      `Plugin '${asking}' uses another plugin '${name}' than the one installed: two copies of its package, or of @twinwire/core, are installed`,
    )
  return found.api
}

/** The key carries the type that the installed plugin was made with. */
function isOf<Api>(key: PluginKey<string, Api>, found: InstalledApi): found is InstalledApi<Api> {
  return found.key === key
}
