/**
 * Identities by OpenID Connect, and roles.
 *
 * @packageDocumentation
 */
export { type AuthApi, type AuthControl, authKey, type RevokeTarget } from './auth.ts'
export type { Algorithm, AuthOptions, BackChannelLogoutOptions, TokenCookieOptions } from './auth-options.ts'
export { type AuthPlugin, auth } from './auth-plugin.ts'
export { defineRoles, type RoleSteps } from './define-roles.ts'
export type { AuthErrors, TokenReason } from './errors.ts'
export type { KeyOptions } from './issuer/issuer-keys.ts'
export { type KeycloakSettings, keycloakIssuer, keycloakSettings } from './keycloak-settings.ts'
export {
  type AuthStep,
  authenticated,
  optionalUser,
  requireAnyRole,
  requireRoles,
  requireScope,
  type WithAuth,
  type WithOptionalUser,
  type WithUser,
  withAuth,
} from './steps.ts'
export { isUser, type User } from './user.ts'
