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
import type { Revoked } from './revoke.ts'

const noStore = { 'cache-control': 'no-store' }

interface LogoutRouteParts {
  readonly path: `/${string}`
  readonly maxTokenBytes: number
  readonly tokens: LogoutTokens
  /** Revokes what was logged out. */
  readonly revoke: (revocation: Revocation) => Revoked
  readonly instruments: AuthInstruments
  readonly log: Logger
}

/** The endpoint where the issuer reports that a session has ended (OpenID Connect Back-Channel Logout 1.0). */
export function createLogoutRoute({
  path,
  maxTokenBytes,
  tokens,
  revoke,
  instruments,
  log,
}: LogoutRouteParts): AnyRoute {
  const reject = (description: string): MalformedRequestError => {
    instruments.loggedOut('refused')
    log.warn({ reason: description }, 'A back-channel logout was rejected')
    return new MalformedRequestError(description, { headers: noStore })
  }
  const unavailable = (): UnavailableError => {
    instruments.loggedOut('unavailable')
    // Keycloak sends it only once.
    log.error(
      'A back-channel logout could not be verified: connections of its session stay open until their token expires',
    )
    return new UnavailableError('Logout tokens cannot be verified at the moment', { headers: noStore })
  }
  const unsent = (tokenId: string): UnavailableError => {
    instruments.loggedOut('unsent')
    log.error(
      'A back-channel logout is done on this node only: the broker did not take it. It is sent again until it does',
    )
    // An issuer that sends its token again is welcome: it may reach the broker then.
    tokens.release(tokenId)
    return new UnavailableError('The session is ended on one server, and on the others a little later', {
      headers: noStore,
    })
  }
  return route({
    summary: 'OpenID Connect back-channel logout',
    // The options check that the path has no parameters.
    http: { route: `POST ${path}`, body: 'raw', maxBodyBytes: maxTokenBytes + 1024 },
    access: 'public',
    input: rawBody,
    handler: async ({ body }, call) => {
      const token = readToken(call.headers['content-type'], body)
      if (token === null) throw reject('The body is not a form with exactly one logout_token')
      const result = await tokens.verify(token)
      if (result.kind === 'unavailable') throw unavailable()
      if (result.kind === 'invalid') throw reject(result.description)
      // In the same turn as the verification, so that no token is accepted in between.
      const { closed, isSent } = revoke(result.revocation)
      log.info({ kind: result.revocation.kind, connections: closed }, 'The issuer ended a session')
      if (!(await isSent)) throw unsent(result.tokenId)
      instruments.loggedOut('success')
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

const description = {
  type: 'object',
  properties: { body: { description: 'A form with one `logout_token`' } },
  required: ['body'],
}
interface DescribedSchema {
  readonly '~standard': {
    readonly jsonSchema: Readonly<Record<'input' | 'output', () => Readonly<Record<string, unknown>>>>
  }
}

/** The body as it was received: the handler checks it, and responds with the errors of the specification. */
const rawBody: Schema<unknown, { readonly body: Uint8Array }> & DescribedSchema = {
  '~standard': {
    version: 1,
    vendor: 'twinwire',
    validate(value) {
      const body = typeof value === 'object' && value !== null && 'body' in value ? value.body : undefined
      return body instanceof Uint8Array ? { value: { body } } : { issues: [{ message: 'Body is required' }] }
    },
    jsonSchema: { input: () => description, output: () => description },
  },
}
