// Routes that need the plugins.
import { route } from '@twinwire/core'
import { authenticated, optionalUser, requireAnyRole, requireRoles, requireScope } from '@twinwire/plugin-auth'
import { limit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'

/** On both wires. */
export const guardedRoutes = {
  WHO: route({
    http: 'GET /who',
    use: [authenticated()],
    handler: (_input, { user }) => ({ name: user.username, roles: user.roles }),
  }),
  WRITE: route({
    http: 'POST /write',
    use: [requireRoles('writer')],
    input: v.object({ text: v.string() }),
    handler: ({ text }, { user }) => ({ text, by: user.username }),
  }),
  EITHER: route({ http: 'GET /either', use: [requireAnyRole('writer', 'reader')], handler: () => 'either' }),
  SCOPED: route({ http: 'GET /scoped', use: [requireScope('books')], handler: () => 'scoped' }),
  MAYBE: route({
    http: 'GET /maybe',
    access: 'public',
    use: [optionalUser()],
    handler: (_input, { user }) => ({ name: user?.username ?? null }),
  }),
  LIMITED: route({
    http: 'GET /limited',
    access: 'public',
    use: [
      limit({ points: 2, per: '1h', key: 'address', name: 'few' }),
      limit({ points: 3, per: '1h', burst: 2, cost: 2, key: 'address' }),
    ],
    handler: () => 'limited',
  }),
}

/** On HTTP only. */
export const guardedEndpoints = [
  route({
    http: 'DELETE /own/:id',
    use: [requireRoles('writer')],
    input: v.object({ id: v.number() }),
    handler: () => undefined,
  }),
]
