import type { Call, Next, Outcome, RouteInfo } from '@twinwire/core'
import { type PluginKey, pluginKey } from '@twinwire/core/plugin'

/** What `audited()` uses. */
export interface AuditApi {
  /**
   * Records each call of a route with the effect that it has. The returned function runs the call.
   *
   * @throws BootError `wrong_state`, once the app is ready
   */
  bind(route: RouteInfo, options: { readonly readOnly: boolean }): (call: Call, next: Next) => Promise<Outcome>
}

export const auditKey: PluginKey<'audit', AuditApi> = pluginKey('audit').of<AuditApi>()
