import type { Issuer } from './development-issuer.ts'
import { PkgID } from './pkg-ids.ts'

interface Welcome {
  readonly url: string
  readonly websocketPath: string
  readonly issuer: Issuer
}

/** Prints the addresses, the tokens, and two commands to try. */
export function printWelcome({ url, websocketPath, issuer: { keycloak, tokens } }: Welcome): void {
  const socketUrl = `${url.replace(/^http/, 'ws')}${websocketPath}`
  const frame = {
    pkg_id: PkgID.GET_AUTHORS,
    req_id: '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55',
    data: { search_term: 'le' },
  }
  // Keycloak's token comes from a command: double quotes, so that the shell runs it.
  const [quote, token] = tokens === null ? ['"', '$(npm run --silent get-token -- reader)'] : ["'", tokens.reader]
  const header = `-H ${quote}authorization: Bearer ${token}${quote}`
  console.log(`
Console, to try all of it in a browser:
  ${url}/

Authors API:
  ${url}
  ${socketUrl}

${tokens === null ? keycloakLines(keycloak.issuer) : developmentLines(keycloak.issuer, tokens)}

Try, in another terminal:
  curl -i ${header} '${url}/authors?search=le'
  npx --yes wscat -c ${socketUrl} ${header} -x '${JSON.stringify(frame)}'

Ctrl+C stops it.
`)
}

function keycloakLines(issuer: string): string {
  return `Users sign in at ${issuer}.
The commands below request a token from it: set the same KEYCLOAK_* variables in that terminal, or put them into examples/authors/.env.`
}

function developmentLines(issuer: string, tokens: NonNullable<Issuer['tokens']>): string {
  return `DEVELOPMENT ISSUER, NEVER FOR PRODUCTION: ${issuer}
runs inside this process, and gives any token to any user of this machine. Set KEYCLOAK_BASE_URL, KEYCLOAK_REALM and
KEYCLOAK_CLIENT_ID to use a Keycloak instead. Two tokens, valid for twelve hours:
  admin   ${tokens.admin}
  reader  ${tokens.reader}`
}
