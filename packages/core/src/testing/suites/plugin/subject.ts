import type { AppOptions, EventTable, PkgIds, RouteTable } from '../../../app/app-options.ts'
import type { MaybePromise } from '../../../base/maybe-promise.ts'
import type { ErrorFactory } from '../../../errors/define-errors.ts'
import type { Plugin } from '../../../plugin/plugin.ts'
import type { AnyGroup } from '../../../settings/group.ts'
import type { TestApp } from '../../create-test-app.ts'

/** The options of a plugin, and values that it must refuse. */
export interface PluginOptionsSubject {
  /** Creates the plugin. Wrong options are passed too. */
  create(options: object): Plugin
  /** Every option, with a value that works: the options that are not here are not tested. */
  readonly valid: Readonly<Record<string, unknown>>
  /**
   * Values that are refused, by the path of the option: `{ claim: ['', 7], 'pool.max': [0] }`. The error has to name that path. Each option of `valid` is
   * also given a symbol, which none can take.
   */
  readonly refused: Readonly<Record<string, readonly unknown[]>>
}

/** Settings that a plugin exports for `defineSettings`. */
export interface PluginSettingsSubject {
  readonly group: AnyGroup
  /** What the names of its variables begin with. Default: the namespace in upper case, `BILLING_`. */
  readonly prefixes?: readonly string[]
  /** Values of variables that work together. */
  readonly variables: Readonly<Record<string, string>>
  /** Values that are refused, by variable: `{ TENANTS_PATH: ['tenant'] }`. The error has to name the variable. */
  readonly refused: Readonly<Record<string, readonly string[]>>
  /** Creates the plugin of what was read. Default: not tested. */
  create?(settings: never): Plugin
}

/** The plugin that `pluginSuite` tests, and an app that uses it. */
export interface PluginSubject<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable> {
  /** The plugin, with options that work. Called for each app. */
  createPlugin(): Plugin
  /**
   * Options of an app that uses it, with what it requires: `plugins: [database({ url }), plugin]`. Called for each app. Every part must be made for this app,
   * and be closed with it.
   */
  createApp(plugin: Plugin): AppOptions<Ids, Routes, Events>
  /**
   * Uses what the plugin is for, by calls of that app, and throws if it does not work. `n` is another number each time: let callers, inputs and paths
   * depend on it, so that a series for each of them is found. Calls may be answered with errors, also those of the plugin.
   */
  exercise(test: TestApp<Routes, Events>, n: number): MaybePromise<void>
  /** Of its errors, `billing.card_declined`. Default: the name of the plugin. */
  readonly namespace?: string
  /** What the names of its instruments begin with. Default: the namespace, `billing_`. */
  readonly instruments?: readonly string[]
  /** The names of its health checks: every one that it registers with these options. Default: none. */
  readonly health?: readonly string[]
  /** Its errors, as `defineErrors` returned them. */
  readonly errors?: Readonly<Record<string, ErrorFactory>>
  readonly options?: PluginOptionsSubject
  readonly settings?: PluginSettingsSubject
}
