import type { HttpExchange } from '../../../transport/transport.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred, eventually, recorder, text } from '../helpers.ts'
import { get, type TransportFixture } from './fixture.ts'

/** Binding, refusing, cutting; and what every request says. */
export function listeningSuite({ describe, it, expect }: TestRunner, { serve, open }: TransportFixture): void {
  describe('listening', () => {
    it('takes a free port for 0', async () => {
      const { port, client } = await serve()
      expect(port).toBeGreaterThan(0)
      expect((await client.request(get)).status).toBe(200)
    })

    it('refuses a port that another listener has, and takes it once it is free', async () => {
      const { port, transport } = await serve()
      await expect(serve({ port })).rejects.toMatchObject({ code: 'unavailable_port' })
      await transport.close()
      // For a moment the port may be that of a client elsewhere on the machine.
      const again = await eventually(() => serve({ port }), 4000)
      expect(again.port).toBe(port)
    })

    it('stops accepting while open sockets go on, and may be told twice', async () => {
      const { transport, client, socket, server } = await open()
      transport.stopAccepting()
      transport.stopAccepting()
      await expect(client.request(get)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      await expect(client.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      server.send('still here', false)
      expect((await socket.next()).data).toBe('still here')
    })

    it('cuts what is open when it closes, and may be told twice', async () => {
      const exchange = deferred<HttpExchange>()
      const aborted = recorder()
      const served = await serve({
        request: (arrived) => {
          arrived.onAborted(aborted)
          exchange.resolve(arrived)
        },
        upgrade: (request) => request.accept({ opened() {}, message() {}, closed }),
      })
      const closed = recorder()
      const socket = await served.client.connect()
      const answer = served.client.request(get)
      const refused = expect(answer).rejects.toThrow()
      const arrived = await exchange.promise
      await served.transport.close()
      await served.transport.close()
      expect(closed.calls.map(([code]) => code)).toEqual([1006])
      expect(aborted.calls).toHaveLength(1)
      expect(arrived.aborted).toBe(true)
      expect(await socket.closed).toMatchObject({ code: 1006 })
      await refused
    })
  })

  describe('what was asked', () => {
    it('stays readable after the callback returned', async () => {
      const arrived = deferred<HttpExchange>()
      const { client } = await serve({
        request: (exchange) => {
          exchange.onAborted(() => {})
          arrived.resolve(exchange)
        },
      })
      const answer = client.request({
        method: 'GET',
        path: '/a%20b?q=%20x&y',
        headers: { 'X-One': 'Value', 'x-many': ['a', 'b'], cookie: 'a=1; b=2' },
      })
      const exchange = await arrived.promise
      await new Promise((resolve) => setImmediate(resolve))
      expect(exchange).toMatchObject({ method: 'GET', path: '/a%20b', query: 'q=%20x&y', secure: false })
      expect(exchange.address).toBe('127.0.0.1')
      expect(exchange.header('x-one')).toBe('Value')
      expect(exchange.header('x-many')).toBe('a, b')
      expect(exchange.header('cookie')).toBe('a=1; b=2')
      expect(exchange.header('x-none')).toBe('')
      expect(exchange.header('constructor')).toBe('')
      expect(exchange.headers()).toMatchObject({ 'x-one': 'Value', 'x-many': 'a, b' })
      expect(exchange.header('host')).not.toBe('')
      exchange.respond(200, [], null)
      await answer
    })

    it('has an empty query when there is none', async () => {
      const { client } = await serve({ request: (e) => e.respond(200, [], JSON.stringify([e.path, e.query])) })
      expect(text((await client.request(get)).body)).toBe('["/",""]')
    })
  })
}
