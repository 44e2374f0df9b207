import { afterEach, describe, expect, it } from 'vitest'
import { route } from '../index.ts'
import { auth, deferred, plugin, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const never = new Promise<never>(() => {})
const table = { pkgIds: { ONE: 1 }, routes: { ONE: route({ access: 'public', handler: () => 1 }) } }

describe('a hook that never ends', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('of a handshake: the connection ends with 1011 after ten seconds', async () => {
      const clock = createVirtualClock()
      const asked = deferred()
      const hanging = plugin((host) => {
        const verify = () => {
          asked.resolve()
          return never
        }
        host.controlFrame('auth', verify, {})
      })
      const { connect } = await start({ ...table, clock, plugins: [hanging] })
      const socket = await connect()
      socket.send(auth('x'))
      await asked.promise
      await clock.advance(9_999)
      await clock.advance(1)
      expect(await socket.closed).toEqual({ code: 1011, reason: 'Internal error' })
    })

    it('of onConnect: the same', async () => {
      const clock = createVirtualClock()
      const asked = deferred()
      const hanging = plugin((host) => {
        host.onConnect(() => {
          asked.resolve()
          return never
        })
      })
      const { connect } = await start({ ...table, clock, plugins: [hanging] })
      const socket = await connect()
      await asked.promise
      await clock.advance(10_000)
      expect(await socket.closed).toEqual({ code: 1011, reason: 'Internal error' })
    })

    it('of onRequest: the request is answered deadline_exceeded after ten seconds', async () => {
      const clock = createVirtualClock()
      const asked = deferred()
      const hanging = plugin((host) => {
        host.onRequest(() => {
          asked.resolve()
          return never
        })
      })
      const { request } = await start({ ...table, clock, plugins: [hanging] })
      const answer = request('GET /health')
      await asked.promise
      await clock.advance(10_000)
      expect((await answer).status).toBe(504)
    })
  })
})

describe('a drain', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('waits for a request whose onRequest still runs, and answers it', async () => {
      const [asked, allowed] = [deferred(), deferred()]
      const slow = plugin((host) => {
        host.onRequest(() => {
          asked.resolve()
          return allowed.promise
        })
      })
      const { app, request } = await start({ ...table, plugins: [slow] })
      const answer = request('GET /nowhere')
      await asked.promise
      const closed = app.close()
      await until(() => app.state === 'draining')
      allowed.resolve()
      expect((await answer).status).toBe(404)
      await closed
    })
  })
})
