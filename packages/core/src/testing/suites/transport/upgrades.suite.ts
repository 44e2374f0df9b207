import type { Socket, UpgradeRequest } from '../../../transport/transport.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred, recorder, text } from '../helpers.ts'
import type { TransportFixture } from './fixture.ts'

/** Long after the callback: by a timer, since what a promise runs may still be in its turn. */
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

/** Handshakes: accepted, refused, left. */
export function upgradesSuite({ describe, it, expect }: TestRunner, { serve, open }: TransportFixture): void {
  describe('upgrades', () => {
    it('runs opened before accept returns, and accepts later as well', async () => {
      const order: string[] = []
      const { client } = await serve({
        upgrade: async (request) => {
          request.onAborted(() => {})
          await new Promise((resolve) => setImmediate(resolve))
          request.accept({ opened: () => order.push('opened'), message() {}, closed() {} })
          order.push('accepted')
        },
      })
      await client.connect()
      expect(order).toEqual(['opened', 'accepted'])
    })

    it('delivers what was sent while opening', async () => {
      const { socket } = await open({ opened: (server) => void server.send('hello', false) })
      expect(await socket.next()).toEqual({ data: 'hello', binary: false })
    })

    it('that are accepted later deliver what was sent while opening, and stay open', async () => {
      const { client } = await serve({
        upgrade: async (request) => {
          request.onAborted(() => {})
          await later()
          let peer: Socket | null = null
          request.accept({
            opened(server) {
              peer = server
              server.send('hello', false)
            },
            message: (data) => void peer?.send(text(new Uint8Array(data)), false),
            closed() {},
          })
        },
      })
      // Of what is wrong here, uWS sees by what happens to lie in memory: not each time.
      for (let i = 0; i < 20; i++) {
        const socket = await client.connect()
        expect((await socket.next()).data).toBe('hello')
        for (const word of ['one', 'two']) {
          socket.send(word)
          expect((await socket.next()).data).toBe(word)
        }
      }
    })

    it('that are accepted later may be ended while they open: the client still hears why', async () => {
      const { client } = await serve({
        upgrade: async (request) => {
          request.onAborted(() => {})
          await later()
          request.accept({
            opened(server) {
              server.send('first', false)
              server.end(1008, 'too many')
            },
            message() {},
            closed() {},
          })
        },
      })
      const socket = await client.connect()
      expect((await socket.next()).data).toBe('first')
      expect(await socket.closed).toEqual({ code: 1008, reason: 'too many' })
    })

    it('may be ended while it opens: the client still hears why', async () => {
      const { socket, closures } = await open({
        opened: (server) => {
          server.send('first', false)
          server.end(1008, 'too many')
        },
      })
      expect(closures).toEqual([{ code: 1008, reason: 'too many' }])
      expect((await socket.next()).data).toBe('first')
      expect(await socket.closed).toEqual({ code: 1008, reason: 'too many' })
    })

    it('rejects with plain HTTP', async () => {
      const { client } = await serve({
        upgrade: (request) => request.reject(401, [['x-why', 'token']], 'who are you'),
      })
      const error = await client.connect().catch((reason) => reason)
      expect(error).toMatchObject({ name: 'UpgradeRefused', status: 401, headers: { 'x-why': 'token' } })
      expect(text(error.body)).toBe('who are you')
    })

    it('lets an upgrade anywhere else arrive as a plain request', async () => {
      const { client } = await serve({ request: (exchange) => exchange.respond(404, [], exchange.header('upgrade')) })
      const error = await client.connect({ path: '/elsewhere' }).catch((reason) => reason)
      expect(error.status).toBe(404)
      expect(text(error.body)).toBe('websocket')
    })

    it('finds the path whatever the query, which it hands on', async () => {
      const seen = deferred<string>()
      const { client } = await serve({
        upgrade: (request) => {
          seen.resolve(`${request.method} ${request.path} ${request.query}`)
          request.reject(400, [], '')
        },
      })
      await client.connect({ path: '/ws?format=json' }).catch(() => {})
      expect(await seen.promise).toBe('GET /ws format=json')
    })

    it('does nothing on a second answer', async () => {
      const second = recorder()
      const { client, faults } = await serve({
        upgrade: (request) => {
          request.reject(403, [], 'first')
          request.reject(404, [], 'second')
          request.accept({ opened: second, message() {}, closed() {} })
        },
      })
      expect((await client.connect().catch((error) => error)).status).toBe(403)
      expect(second.calls).toHaveLength(0)
      expect(faults).toEqual([])
    })

    it('tells once that the client left, at once when it already has, and opens nothing then', async () => {
      const arrived = deferred<UpgradeRequest>()
      const gone = deferred<void>()
      const { client } = await serve({
        upgrade: (request) => {
          request.onAborted(() => gone.resolve())
          arrived.resolve(request)
        },
      })
      const leaving = new AbortController()
      const connecting = client.connect({ signal: leaving.signal })
      const left = expect(connecting).rejects.toMatchObject({ name: 'AbortError' })
      const request = await arrived.promise
      expect(request.aborted).toBe(false)
      leaving.abort()
      await gone.promise
      await left
      expect(request.aborted).toBe(true)
      const late = recorder()
      request.onAborted(late)
      expect(late.calls).toHaveLength(1)
      const neverOpened = recorder()
      request.accept({ opened: neverOpened, message() {}, closed() {} })
      request.reject(403, [], '')
      expect(neverOpened.calls).toHaveLength(0)
    })

    it('echoes one sub-protocol', async () => {
      const { client } = await serve({
        upgrade: (request) =>
          request.accept(
            { opened() {}, message() {}, closed() {} },
            request.header('sec-websocket-protocol').split(',')[0],
          ),
      })
      expect((await client.connect({ protocols: ['twin', 'other'] })).protocol).toBe('twin')
    })

    it('answers 500 and reports when the handler throws', async () => {
      const { client, faults } = await serve({
        upgrade: () => {
          throw new Error('in upgrade')
        },
      })
      expect((await client.connect().catch((error) => error)).status).toBe(500)
      expect(faults).toMatchObject([{ message: 'in upgrade' }])
    })
  })
}
