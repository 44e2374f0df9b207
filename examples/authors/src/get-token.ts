// `npm run --silent get-token -- <user>` prints an access token (password grant, for development). The password is KEYCLOAK_PASSWORD,
// else the name of the user, as in the realm of the example.
import { BootError } from '@twinwire/core'
import { issuerOf } from './development-issuer.ts'
import { declaredSettings } from './settings.ts'

async function getToken(username: string): Promise<string> {
  const settings = declaredSettings.read()
  // A real application sends its users to the login page and never sees their passwords.
  if (settings.environment === 'production')
    throw new BootError('bad_option', 'get-token is for development only: in production users sign in at Keycloak')
  const { issuer, clientId } = issuerOf(settings)
  const password = process.env.KEYCLOAK_PASSWORD || username
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: clientId, username, password, scope: 'openid' }),
    signal: AbortSignal.timeout(10_000),
  }).catch((cause: unknown) => {
    throw new BootError(
      'bad_option',
      `The issuer at ${issuer} cannot be reached: start the example, or Keycloak, first`,
      {
        cause,
      },
    )
  })
  const body: unknown = await response.json().catch(() => null)
  const answer: Readonly<Record<string, unknown>> = typeof body === 'object' && body !== null ? { ...body } : {}
  if (typeof answer.access_token === 'string') return answer.access_token
  const reason = answer.error_description ?? answer.error ?? 'no reason given'
  throw new BootError(
    'bad_option',
    `The issuer issued no token for '${username}': ${String(reason)} (${response.status})`,
  )
}

getToken(process.argv[2] ?? 'admin').then(
  (token) => console.log(token),
  (error: unknown) => {
    console.error(error instanceof BootError ? error.message : error)
    process.exitCode = 1
  },
)
