import type { DoctorHost } from '../base/doctor.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { AnyPluginKey, PluginKey } from '../base/plugin-key.ts'
import type { PluginHost } from './host.ts'

/** Extends an app: hooks, routes, checks, and an API that its steps use. */
export interface Plugin<out Api = unknown> {
  /** Unique in an app. */
  readonly name: string
  /** The key of its steps; not set if it has none. */
  readonly key?: AnyPluginKey
  /**
   * Address of the page that explains the codes of this plugin, those that begin with its name: messages of boot errors, and in development of
   * errors of calls, end with a link to it. Its anchors are the codes without dots: `tenants.unknown_tenant` is `#tenantsunknown_tenant`.
   */
  readonly docs?: string
  /** Names of plugins that must be installed too, in any order: they are set up before this one, and closed after it. */
  readonly requires?: readonly string[]
  /** Adds checks to `app.doctor()` that also run in an app that was not started. Must not connect to anything. */
  doctor?(host: DoctorHost): void
  /** Runs once while the app starts, in the order of the list, after what it requires. Returns the API that its steps get in this app. */
  setup(host: PluginHost): MaybePromise<Api>
}

/**
 * Creates a plugin. Its steps, made with `key`, get what `setup` returns.
 *
 * @example
 * export const flags = (on: readonly string[]) =>
 *   definePlugin(flagsKey, { setup: () => ({ isOn: (flag) => on.includes(flag) }) })
 */
export function definePlugin<Name extends string, Api>(
  key: PluginKey<Name, Api>,
  plugin: {
    readonly docs?: string
    readonly requires?: readonly string[]
    doctor?(host: DoctorHost): void
    setup(host: PluginHost): MaybePromise<Api>
  },
): Plugin<Api> {
  return { ...plugin, name: key.name, key }
}
