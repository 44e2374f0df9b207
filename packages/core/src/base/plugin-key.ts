/**
 * Ties the steps of a plugin to what the plugin offers them. Made once beside the plugin; a second key of the same name
 * is another key: a step made with it does not fit the installed plugin, and the app does not boot.
 */
export interface AnyPluginKey {
  readonly name: string
}

/** The same, with what it stands for. */
export interface PluginKey<out Name extends string = string, in out Api = never> extends AnyPluginKey {
  readonly name: Name
  /** Never set: carries the type, in both directions, so that keys of different APIs never pass for one another. */
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
