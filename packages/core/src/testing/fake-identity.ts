import type { Identity } from '../call/identity.ts'
import { Disconnect, disconnects } from '../errors/disconnect.ts'
import type { Identify } from '../plugin/host.ts'
import type { Plugin } from '../plugin/plugin.ts'

/** Believes the request: `authorization: Bearer ann` is Ann. */
const fromBearer: Identify = ({ headers }) => {
  const [, id] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? []
  return id === undefined ? null : { id, name: id }
}

/**
 * A plugin that sets the identity on both wires, so that routes that require one are tested without a login. `who` is the identity of every
 * request, or a function of the request or the upgrade: null is anonymous, a thrown AppError refuses it. Default: the header
 * `authorization: Bearer <id>` is believed. A WebSocket is authenticated by its upgrade; an anonymous one is closed with 4001 at its first frame.
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
