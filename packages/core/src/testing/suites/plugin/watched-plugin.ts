import type { Instruments } from '../../../base/instruments.ts'
import type { PluginHost } from '../../../plugin/host.ts'
import type { Plugin } from '../../../plugin/plugin.ts'
import type { AnyEndpoint } from '../../../route/route.ts'

/** A plugin, and what it has registered in one app. */
export interface WatchedPlugin {
  readonly plugin: Plugin
  readonly endpoints: readonly AnyEndpoint[]
  readonly health: readonly string[]
  /** Names of instruments. */
  readonly instruments: readonly string[]
  /** Hooks `onClose` that have not ended. */
  readonly open: () => number
}

/** The same plugin, with a host that notes what is registered. */
export function watchPlugin(plugin: Plugin): WatchedPlugin {
  const endpoints: AnyEndpoint[] = []
  const health: string[] = []
  const instruments: string[] = []
  let open = 0
  const watched = (host: PluginHost): PluginHost => {
    const noting: Partial<PluginHost> = {
      instruments: notingNames(host.instruments, instruments),
      endpoint(route) {
        endpoints.push(route)
        host.endpoint(route)
      },
      health(name, check, options) {
        health.push(name)
        host.health(name, check, options)
      },
      onClose(hook) {
        open++
        host.onClose(async () => {
          await hook()
          open--
        })
      },
    }
    return new Proxy(host, {
      get: (target, key): unknown => Reflect.get(Object.hasOwn(noting, key) ? noting : target, key),
    })
  }
  return {
    plugin: { ...plugin, setup: (host) => plugin.setup(watched(host)) },
    endpoints,
    health,
    instruments,
    open: () => open,
  }
}

const declarations: ReadonlySet<string | symbol> = new Set(['counter', 'gauge', 'histogram'])

function notingNames(instruments: Instruments, names: string[]): Instruments {
  return new Proxy(instruments, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (declarations.has(key)) names.push(String(args[0]))
        return Reflect.apply(value, target, args)
      }
    },
  })
}
