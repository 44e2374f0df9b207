import type { Identity } from '@twinwire/core'
import { type PluginKey, pluginKey } from '@twinwire/core/plugin'
import type { AuthErrors } from './errors.ts'

/** Whose tokens to revoke: all of a user (its id, or its identity), or those of one session. */
export type RevokeTarget = string | Identity | { readonly sessionId: string }

/** Revokes users and sessions. */
export interface AuthControl {
  /**
   * Closes every connection of the target with 4004 `Session revoked`, and rejects every token that was issued to it so far, at once.
   * Tokens of a later login are accepted. Returns the number of closed connections. It applies to this process only, and does not end the
   * session at the issuer: end it there too, or a refreshed token is accepted.
   */
  revoke(target: RevokeTarget): number
}

/** What the steps of this package use. */
export interface AuthApi extends AuthControl {
  readonly errors: AuthErrors
}

export const authKey: PluginKey<'auth', AuthApi> = pluginKey('auth').of<AuthApi>()
