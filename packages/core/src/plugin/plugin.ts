import type { MaybePromise } from '../base/maybe-promise.ts'
import type { AnyPluginKey, PluginKey } from '../base/plugin-key.ts'
import type { DoctorHost } from './doctor.ts'
import type { PluginHost } from './host.ts'

/** A part that an app composes: hooks, endpoints, and an API that its steps are bound to. */
export interface Plugin<out Api = unknown> {
  /** Unique in an app. */
  readonly name: string
  /** The key its steps are made with; left out by a plugin that has none. */
  readonly key?: AnyPluginKey
  /** Names of plugins that must be installed too, anywhere in the list. */
  readonly requires?: readonly string[]
  /** Says what `app.doctor()` is to look at, also in an app that was not started. Connects to nothing. */
  doctor?(host: DoctorHost): void
  /** Runs once while the app starts, in list order. What it returns is what its steps are bound to, in this app. */
  setup(host: PluginHost): MaybePromise<Api>
}

/**
 * Makes a plugin whose steps are bound to what `setup` returns.
 *
 * @example
 * export const flags = (on: readonly string[]) =>
 *   definePlugin(flagsKey, { setup: () => ({ isOn: (flag) => on.includes(flag) }) })
 */
export function definePlugin<Name extends string, Api>(
  key: PluginKey<Name, Api>,
  plugin: {
    readonly requires?: readonly string[]
    doctor?(host: DoctorHost): void
    setup(host: PluginHost): MaybePromise<Api>
  },
): Plugin<Api> {
  return { ...plugin, name: key.name, key }
}
