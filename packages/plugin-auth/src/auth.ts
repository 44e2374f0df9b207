import type { Identity } from '@twinwire/core'
import { type PluginKey, pluginKey } from '@twinwire/core/plugin'
import type { Refusals } from './errors.ts'

/** Whose connections and tokens are to end: everything of a user (its id, or its identity), or one session. */
export type RevokeTarget = string | Identity | { readonly sessionId: string }

/** What an application can do to those who are signed in. */
export interface AuthControl {
  /**
   * Ends every connection of the target with 4004 `Session revoked`, at once, and refuses every token that was issued to it so far, from
   * the cache and by verification alike. A later login is let in. Says how many connections were ended. In this process; the session at the
   * issuer goes on, so end it there too, or a refreshed token may come back.
   */
  revoke(target: RevokeTarget): number
}

/** What the steps of this package are bound to. */
export interface AuthApi extends AuthControl {
  readonly refusals: Refusals
}

export const authKey: PluginKey<'auth', AuthApi> = pluginKey('auth').of<AuthApi>()
