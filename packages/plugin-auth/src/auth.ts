import type { Identity } from '@twinwire/core'
import { type PluginKey, pluginKey } from '@twinwire/core/plugin'
import type { AuthErrors } from './errors.ts'

/** Whose tokens to revoke: all of a user (its id, or its identity), or those of one session. */
export type RevokeTarget = string | Identity | { readonly sessionId: string }

/** Revokes users and sessions. */
export interface AuthControl {
  /**
   * Closes every connection of the target with 4004 `Session revoked`, and rejects every token that was issued to it so far: on this node at
   * once, on the other nodes of the app within a second, on one that is cut off when it is back, and on one that starts later. What the broker
   * does not take now is sent again in the background. Tokens of a later login are accepted. Returns the number of connections that were closed
   * on this node. It does not end the session at the issuer: end it there too, or a refreshed token is accepted.
   */
  revoke(target: RevokeTarget): number
}

/** What the steps of this package use. */
export interface AuthApi extends AuthControl {
  readonly errors: AuthErrors
}

export const authKey: PluginKey<'auth', AuthApi> = pluginKey('auth').of<AuthApi>()
