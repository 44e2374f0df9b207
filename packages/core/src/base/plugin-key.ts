/**
 * Connects the steps of a plugin with its API. Created once, next to the plugin. A second key of the same name
 * is another key: a step that uses it does not match the installed plugin, and the app does not boot.
 */
export interface AnyPluginKey {
  readonly name: string
}

/** A plugin key with the type of the API. */
export interface PluginKey<out Name extends string = string, in out Api = never> extends AnyPluginKey {
  readonly name: Name
  /** Never set: carries the type, in both directions, so that keys of different APIs are not interchangeable. */
  readonly '~api'?: (api: Api) => Api
}

/**
 * Names a plugin and the API that its steps are bound to.
 *
 * @example
 * interface FlagsApi { isOn(flag: string): boolean }
 * export const flagsKey = pluginKey('flags').of<FlagsApi>()
 */
export function pluginKey<const Name extends string>(name: Name): { of<Api>(): PluginKey<Name, Api> } {
  return { of: () => Object.freeze({ name }) }
}
