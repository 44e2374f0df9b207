/**
 * An issuer of tokens for tests and development.
 *
 * @packageDocumentation
 */
export type { IssuerEndpoint, IssuerFault } from './issuer-server.ts'
export type { TestLogin } from './issuer-sessions.ts'
export type { TestAlgorithm } from './signing-keys.ts'
export { createTestIssuer, type TestIssuer, type TestIssuerOptions } from './test-issuer.ts'
export type { TestLogoutOptions, TestTokenOptions } from './test-tokens.ts'
export type { TestUser } from './test-users.ts'
