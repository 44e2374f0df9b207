/**
 * The issuer of a Keycloak realm: `<baseUrl>/realms/<realm>`.
 *
 * @example
 * keycloakIssuer('https://sso.example.com/', 'app') // 'https://sso.example.com/realms/app'
 */
export function keycloakIssuer(baseUrl: string, realm: string): string {
  return `${baseUrl.replace(/\/+$/, '')}/realms/${encodeURIComponent(realm)}`
}
