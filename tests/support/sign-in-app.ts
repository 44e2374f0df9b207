import { createApp, route } from '@twinwire/core'
import { type AuthOptions, type AuthPlugin, auth, requireRoles } from '@twinwire/plugin-auth'

export const signInPkgIds = { READ: 1, WRITE: 2 } as const

/** An app of two routes on both wires, each with a role: for tests of signing in at a real issuer. */
export interface SignInApp {
  readonly url: string
  readonly socketUrl: string
  readonly keycloak: AuthPlugin
  /** Where the issuer sends its logout tokens. */
  readonly logoutUrl: string
  close(): Promise<void>
}

export async function startSignInApp(options: AuthOptions): Promise<SignInApp> {
  const keycloak = auth({ backChannelLogout: true, ...options })
  const app = createApp({
    environment: 'test',
    pkgIds: signInPkgIds,
    routes: {
      READ: route({
        http: 'GET /read',
        use: [requireRoles('get-authors')],
        handler: (_input, { user }) => ({ username: user.username, roles: [...user.roles].sort(), email: user.email }),
      }),
      WRITE: route({ http: 'POST /write', use: [requireRoles('create-author')], handler: () => ({ written: true }) }),
    },
    plugins: [keycloak],
    websocket: { path: '/web' },
    log: 'fatal',
    drainTimeoutMs: 100,
  })
  const { port } = await app.listen({ port: 0 })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    socketUrl: `ws://127.0.0.1:${port}/web`,
    keycloak,
    logoutUrl: `${url}/auth/backchannel-logout`,
    close: () => app.close(),
  }
}
