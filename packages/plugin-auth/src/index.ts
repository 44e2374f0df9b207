export { type AuthApi, type AuthControl, authKey, type RevokeTarget } from './auth.ts'
export type { Algorithm, AuthOptions, BackChannelLogoutOptions } from './auth-options.ts'
export { type AuthPlugin, auth } from './auth-plugin.ts'
export { defineRoles, type RoleSteps } from './define-roles.ts'
export type { Refusals, TokenReason } from './errors.ts'
export type { BreakerOptions } from './issuer/breaker.ts'
export type { KeyOptions } from './issuer/issuer-keys.ts'
export { keycloakIssuer } from './keycloak-issuer.ts'
export { type KeycloakSettings, keycloakSettings } from './keycloak-settings.ts'
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
