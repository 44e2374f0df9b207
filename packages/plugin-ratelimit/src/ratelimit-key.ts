import type { Call, RouteInfo } from '@twinwire/core'
import { type PluginKey, pluginKey } from '@twinwire/core/plugin'
import type { ParsedLimit } from './limit-rule.ts'
import type { MaybePromise } from './store.ts'

/** What the steps of this package are bound to. */
export interface RateLimitApi {
  /** Prepares a place of a route at which points are taken. What it returns throws `rate_limit_exceeded`. */
  bind<C extends Call>(limits: readonly ParsedLimit<C>[], route: RouteInfo): (call: C) => MaybePromise<void>
}

export const rateLimitKey: PluginKey<'rateLimit', RateLimitApi> = pluginKey('rateLimit').of<RateLimitApi>()
