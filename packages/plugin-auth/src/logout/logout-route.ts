import {
  type AnyRoute,
  type Logger,
  MalformedRequestError,
  reply,
  route,
  type Schema,
  UnavailableError,
} from '@twinwire/core'
import type { AuthInstruments } from '../auth-instruments.ts'
import type { LogoutTokens } from './logout-token.ts'
import type { Revocation } from './revocations.ts'

const noStore = { 'cache-control': 'no-store' }

interface LogoutRouteParts {
  readonly path: `/${string}`
  readonly maxTokenBytes: number
  readonly tokens: LogoutTokens
  /** Ends what was logged out, and says how many connections that were. */
  readonly revoke: (revocation: Revocation) => number
  readonly instruments: AuthInstruments
  readonly log: Logger
}

/** Where the issuer says that a session has ended (OpenID Connect Back-Channel Logout 1.0). */
export function createLogoutRoute({
  path,
  maxTokenBytes,
  tokens,
  revoke,
  instruments,
  log,
}: LogoutRouteParts): AnyRoute {
  const refuse = (description: string): MalformedRequestError => {
    instruments.loggedOut('refused')
    log.warn({ reason: description }, 'A back-channel logout was refused')
    return new MalformedRequestError(description, { headers: noStore })
  }
  const unavailable = (): UnavailableError => {
    instruments.loggedOut('unavailable')
    // Issuers such as Keycloak send it once.
    log.error('A back-channel logout could not be verified: connections of its session may stay open until they expire')
    return new UnavailableError('Logout tokens cannot be verified at the moment', { headers: noStore })
  }
  return route({
    summary: 'OpenID Connect back-channel logout',
    // The path was checked to be plain: to the types it stands for one without parameters.
    http: { route: `POST ${path}`, body: 'raw', maxBodyBytes: maxTokenBytes + 1024 },
    access: 'public',
    input: rawBody,
    handler: async ({ body }, call) => {
      const token = readToken(call.headers['content-type'], body)
      if (token === null) throw refuse('The body is not a form with one logout_token')
      const result = await tokens.verify(token)
      if (result.kind === 'unavailable') throw unavailable()
      if (result.kind === 'refused') throw refuse(result.description)
      // In the turn in which the token was found good: nothing may come between.
      const ended = revoke(result.revocation)
      instruments.loggedOut('success')
      log.info({ kind: result.revocation.kind, connections: ended }, 'A session was ended by the issuer')
      return reply(undefined, { status: 200, headers: noStore })
    },
  })
}

/** One `logout_token` in a form; null for anything else. */
function readToken(contentType: string | undefined, body: Uint8Array): string | null {
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(contentType?.trim() ?? '')) return null
  const tokens = new URLSearchParams(Buffer.from(body).toString()).getAll('logout_token')
  const [token = ''] = tokens
  return tokens.length === 1 && token !== '' ? token : null
}

/** The bytes as they came: what is in them is judged by the handler, whose refusals the issuer understands. */
const rawBody: Schema<unknown, { readonly body: Uint8Array }> = {
  '~standard': {
    version: 1,
    vendor: 'twinwire',
    validate(value) {
      const body = typeof value === 'object' && value !== null && 'body' in value ? value.body : undefined
      return body instanceof Uint8Array ? { value: { body } } : { issues: [{ message: 'A body is needed' }] }
    },
  },
}
