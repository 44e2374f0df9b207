import type { Identity } from '../call/identity.ts'
import { Disconnect, disconnects } from '../errors/disconnect.ts'
import type { Identify } from '../plugin/host.ts'
import type { Plugin } from '../plugin/plugin.ts'

/** Whoever a request says it is: `authorization: Bearer ann` is Ann, no questions asked. */
const fromBearer: Identify = ({ headers }) => {
  const [, id] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? []
  return id === undefined ? null : { id, name: id }
}

/**
 * A plugin that owns identity on both wires, so that routes that need a caller are tested without a login. `who` is the caller of
 * every request, or a function of the request or the upgrade: null is nobody, a thrown AppError refuses it. Left out, the header
 * `authorization: Bearer <id>` is believed. A WebSocket is admitted by its upgrade; one of nobody is closed with 4001 at its first frame.
 *
 * @example
 * const { client } = await createTestApp({ pkgIds, routes, plugins: [fakeIdentity()] })
 * const ann = await client({ headers: { authorization: 'Bearer ann' } })
 * await ann.call('WHO_AM_I')
 */
export function fakeIdentity(who: Identity | Identify = fromBearer): Plugin {
  const identify: Identify = typeof who === 'function' ? who : () => who
  return {
    name: 'fake-identity',
    setup(host) {
      host.identify(identify)
      host.controlFrame(
        'auth',
        () => {
          throw new Disconnect(disconnects.unauthorized)
        },
        {
          async fromUpgrade(request) {
            const identity = await identify(request)
            return identity === null ? null : { identity }
          },
        },
      )
    },
  }
}
