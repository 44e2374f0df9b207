import { guard, NotFoundError, PermissionDeniedError, type Plugin, route } from '@twinwire/core'
import { createNetworks } from '@twinwire/core/plugin'
import * as v from 'valibot'

/** The users of the development issuer, with a token for each who asks. */
export interface DevelopmentUsers {
  readonly users: ReadonlyArray<{ readonly username: string; readonly roles: readonly string[] }>
  token(username: string, seconds: number): string
}

const maxSeconds = 12 * 60 * 60

/**
 * `GET /development/users` and `POST /development/token`, for the console: anyone at this machine signs in as anyone, a page of another
 * origin and a caller behind a proxy do not. Only where the development issuer is,
 * which does the same on its own port, and only in dev and test.
 */
export function developmentUsers({ users, token }: DevelopmentUsers): Plugin<void> {
  const local = createNetworks(['127.0.0.0/8', '::1/128'], 'developmentUsers()')
  const fromThisMachine = guard({
    name: 'fromThisMachine',
    run: ({ address, headers }) => {
      // A name that resolves to this machine may be that of another site.
      if (!local.has(address) || !isLocal(headers['host'] ?? ''))
        throw new PermissionDeniedError('Development users are for this machine')
      const proxied = Object.keys(headers).find(isOfProxy)
      if (proxied !== undefined)
        throw new PermissionDeniedError(
          `Development users are not for callers behind a proxy: the request has the header ${proxied}`,
        )
    },
  })
  // A proxy that adds no header of its own passes the origin of its caller on, and sets the host.
  const fromOwnPage = guard({
    name: 'fromOwnPage',
    run: ({ headers }) => {
      const { host = '', origin, 'sec-fetch-site': site = 'same-origin' } = headers
      if (site === 'same-origin' && isOriginOf(origin, host)) return
      throw new PermissionDeniedError(
        'Tokens of development users are for pages of this app: Origin must be that of Host. Elsewhere: npm run get-token',
      )
    },
  })
  return {
    name: 'developmentUsers',
    setup(host) {
      host.endpoint(
        route({
          summary: 'Who can sign in without a password, in development',
          http: 'GET /development/users',
          access: 'public',
          use: [fromThisMachine],
          output: v.object({ users: v.array(v.object({ username: v.string(), roles: v.array(v.string()) })) }),
          handler: () => ({ users: users.map(({ username, roles }) => ({ username, roles: [...roles] })) }),
        }),
      )
      host.endpoint(
        route({
          summary: 'A token of a development user',
          http: 'POST /development/token',
          access: 'public',
          use: [fromThisMachine, fromOwnPage],
          input: v.strictObject({
            username: v.string(),
            seconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxSeconds)), 300),
          }),
          output: v.object({ token: v.string(), expires_in: v.number() }),
          handler: ({ username, seconds }) => {
            if (!users.some((user) => user.username === username)) throw new NotFoundError('There is no such user')
            return { token: token(username, seconds), expires_in: seconds }
          },
        }),
      )
    },
  }
}

function isLocal(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i.test(host)
}

function isOfProxy(header: string): boolean {
  return /^(forwarded|x-forwarded-.*|x-real-ip|via)$/i.test(header)
}

function isOriginOf(origin: string | undefined, host: string): boolean {
  return [`http://${host}`, `https://${host}`].map((each) => each.toLowerCase()).includes(origin?.toLowerCase() ?? '')
}
