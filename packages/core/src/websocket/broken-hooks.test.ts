import { afterEach, describe, expect, it } from 'vitest'
import { AuthenticationError, route } from '../index.ts'
import { plugin } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

const table = { pkgIds: { ONE: 1 }, routes: { ONE: route({ access: 'public', handler: () => 1 }) } }

// What a plugin does wrong is logged, and must not end the process of all others.
describe('what has no form on the wire', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it.each(['at once', 'later'])('in the details of a refused upgrade (%s) is left out', async (when) => {
      const refuse = plugin((host) => {
        host.onRequest(({ wire }) => {
          if (wire !== 'ws') return
          const error = new AuthenticationError('no', { details: { size: 1n } })
          if (when === 'at once') throw error
          return Promise.reject(error)
        })
      })
      const { connect, request, logs } = await start({ ...table, plugins: [refuse] })
      const refused = await connect().catch((error: unknown) => error)
      expect(refused).toMatchObject({ status: 401 })
      expect(logs.filter(({ level }) => level === 'error')).toMatchObject([
        { fields: { code: 'authentication_failed' } },
      ])
      expect((await request('GET /health/live')).status).toBe(200)
    })

    it.each(['at once', 'later'])(
      'in the answer to credentials of an upgrade (%s) ends that connection',
      async (when) => {
        const admit = plugin((host) => {
          const answer = { reply: { type: 'auth_ok', size: 1n } }
          const fromUpgrade = () => (when === 'at once' ? answer : Promise.resolve(answer))
          host.controlFrame('auth', () => ({}), { fromUpgrade })
        })
        const { connect, request, logs } = await start({ ...table, plugins: [admit] })
        const socket = await connect()
        expect(await socket.closed).toEqual({ code: 1011, reason: 'Internal error' })
        expect(logs.filter(({ level }) => level === 'error')).toHaveLength(1)
        expect((await request('GET /health/live')).status).toBe(200)
      },
    )
  })
})
