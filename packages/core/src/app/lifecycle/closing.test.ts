import { Agent, get as httpGet } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { BootError, createApp, route } from '../../index.ts'
import { deferred, packet, plugin, until } from '../../testing/suite.fixtures.ts'
import { createTestLogger, createVirtualClock, memoryTransport, networkRawClient, onTransports } from '../../testing.ts'
import { uws } from '../../transport/uws-server.ts'

/** An app with one slow route. */
function working() {
  const end = deferred<string>()
  const running: string[] = []
  const handler = (_input: undefined, call: { readonly wire: string }) => {
    running.push(call.wire)
    return end.promise
  }
  return {
    end,
    running,
    options: {
      pkgIds: { WORK: 1, PING: 2 },
      routes: {
        WORK: route({ http: 'GET /work', handler }),
        PING: route({ http: 'GET /ping', handler: () => 'pong' }),
      },
    },
  } as const
}

const closer = (name: string, log: string[], close: () => Promise<void> = async () => {}) =>
  plugin((host) => {
    host.onClose(async () => {
      log.push(name)
      await close()
    })
  }, name)

describe('closing', () => {
  onTransports({ describe, afterEach }, ({ start, transport }) => {
    it('lets calls in flight finish on both wires, then ends connections with 1012', async () => {
      const { options, end, running } = working()
      const { client, request, app } = await start(options)
      const one = await client()
      const answers = [one.call('WORK'), request('GET /work')] as const
      await until(() => running.length === 2)
      const closing = app.close()
      expect(app.state).toBe('draining')
      await expect(one.call('PING')).rejects.toMatchObject({ code: 'unavailable', rspCode: 1, httpStatus: 503 })
      end.resolve('done')
      expect(await answers[0]).toBe('done')
      expect((await answers[1]).json()).toBe('done')
      expect(await one.closed).toEqual({ code: 1012, reason: 'Service restart' })
      await closing
      expect(app.state).toBe('closed')
    })

    it('answers late ones unavailable, then 1012; their signals are aborted', async () => {
      const signals: AbortSignal[] = []
      const { client, request, app } = await start({
        pkgIds: { WORK: 1 },
        routes: {
          WORK: route({
            http: 'GET /work',
            handler: (_input, call) => {
              signals.push(call.signal)
              return new Promise<string>(() => {})
            },
          }),
        },
        drainTimeoutMs: 30,
      })
      const one = await client()
      const answers = [one.call('WORK').catch((error: unknown) => error), request('GET /work')] as const
      await until(() => signals.length === 2)
      await app.close()
      expect(await answers[0]).toMatchObject({ code: 'unavailable' })
      expect((await answers[1]).status).toBe(503)
      expect((await one.closed).code).toBe(1012)
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    })

    it('refuses new connections at once', async () => {
      const { options, end, running } = working()
      const { client, request, connect, app } = await start(options)
      const answer = (await client()).call('WORK')
      await until(() => running.length === 1)
      const closing = app.close()
      await expect(request('GET /ping')).rejects.toThrow()
      await expect(connect()).rejects.toThrow()
      end.resolve('done')
      await answer
      await closing
    })

    it('waits for effects after the commit', async () => {
      const mailed = deferred()
      const log: string[] = []
      const { client, app } = await start({
        pkgIds: { DO: 1 },
        routes: {
          DO: route({
            handler: (_input, call) => {
              call.afterCommit(async () => {
                await mailed.promise
                log.push('mailed')
              })
              return null
            },
          }),
        },
        plugins: [closer('mail', log)],
      })
      await (await client()).call('DO')
      const closing = app.close()
      await new Promise((resolve) => setImmediate(resolve))
      mailed.resolve()
      await closing
      expect(log).toEqual(['mailed', 'mail'])
    })

    it('closes the plugins in reverse; one that fails or hangs keeps no other from closing', async () => {
      const log: string[] = []
      const clock = createVirtualClock()
      const { close, app, logs } = await start({
        ...working().options,
        clock,
        plugins: [
          closer('first', log),
          closer('hangs', log, () => new Promise(() => {})),
          closer('fails', log, () => Promise.reject(new Error('no'))),
          closer('last', log),
        ],
      })
      await close()
      expect(log).toEqual(['last', 'fails', 'hangs', 'first'])
      expect(app.state).toBe('closed')
      const errors = logs.filter(({ level }) => level === 'error')
      expect(errors.map(({ fields }) => [fields.plugin, (fields.err as Error).message])).toEqual([
        ['fails', 'no'],
        ['hangs', 'onClose took longer than 5000 ms'],
      ])
      expect(clock.pendingTimers).toBe(0)
    })

    it('is done once, however often it is called', async () => {
      const log: string[] = []
      const { app } = await start({ ...working().options, plugins: [closer('one', log)] })
      const first = app.close()
      expect(app.close()).toBe(first)
      await first
      await app.close()
      expect(log).toEqual(['one'])
      await expect(app.listen()).rejects.toMatchObject({ code: 'wrong_state' })
    })

    const network = () => (transport === 'uws' ? uws() : memoryTransport())
    const quiet = () => ({ log: createTestLogger(), environment: 'test' as const, transport: network() })

    it('while it starts to listen leaves no port bound', async () => {
      const log: string[] = []
      const app = createApp({ ...working().options, ...quiet(), plugins: [closer('one', log)], drainSpreadMs: 0 })
      const listening = app.listen({ port: 0 })
      await app.ready()
      const closing = app.close()
      const bound = await listening.catch(() => null)
      await closing
      expect(app.state).toBe('closed')
      expect(log).toEqual(['one'])
      if (bound === null) return
      const again = createApp({ ...working().options, ...quiet() })
      await again.listen({ port: bound.port })
      await again.close()
    })

    it('before it listens is final', async () => {
      const app = createApp({ ...working().options, ...quiet() })
      const closing = app.close()
      await expect(app.listen({ port: 0 })).rejects.toBeInstanceOf(BootError)
      await closing
      expect(app.state).toBe('closed')
    })

    it('follows a port that is taken, and the plugins are closed', async () => {
      const log: string[] = []
      const { address } = await start(working().options)
      const app = createApp({ ...working().options, ...quiet(), plugins: [closer('one', log)] })
      await expect(app.listen({ port: address.port })).rejects.toMatchObject({ code: 'unavailable_port' })
      expect([log, app.state]).toEqual([['one'], 'closed'])
    })

    it('follows a setup, or an onReady, that fails: what was set up is closed, in reverse', async () => {
      for (const when of ['setup', 'onReady']) {
        const log: string[] = []
        const failing = plugin((host) => {
          host.onClose(() => void log.push('failing'))
          if (when === 'setup') throw new Error('no')
          host.onReady(() => Promise.reject(new Error('no')))
        }, 'failing')
        const app = createApp({
          ...working().options,
          ...quiet(),
          plugins: [closer('first', log), closer('second', log), failing],
        })
        await expect(app.listen({ port: 0 })).rejects.toThrow('no')
        expect([log, app.state]).toEqual([['failing', 'second', 'first'], 'closed'])
        await app.close()
      }
    })

    it('is what a second listen does not do', async () => {
      const { app, request } = await start(working().options)
      await expect(app.listen({ port: 0 })).rejects.toMatchObject({ code: 'wrong_state' })
      expect((await request('GET /ping')).status).toBe(200)
      const other = createApp({ ...working().options, ...quiet() })
      const [one, two] = await Promise.allSettled([other.listen({ port: 0 }), other.listen({ port: 0 })])
      expect([one.status, two.status]).toEqual(['fulfilled', 'rejected'])
      expect(other.state).toBe('serving')
      await other.close()
    })
  })

  it('over kept connections, which it ends: /health is 503 and new calls are refused while it drains', async () => {
    const { options, end, running } = working()
    const app = createApp({ ...options, log: createTestLogger(), environment: 'test', drainSpreadMs: 0 })
    const { url, port } = await app.listen({ port: 0 })
    const agent = new Agent({ keepAlive: true, maxSockets: 3 })
    const connections: (string | undefined)[] = []
    const get = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        httpGet(`${url}${path}`, { agent }, (response) => {
          connections.push(response.headers.connection)
          response.resume()
          response.on('end', () => resolve(response.statusCode ?? 0))
        }).on('error', reject)
      })
    expect(await Promise.all([get('/health'), get('/health'), get('/health')])).toEqual([200, 200, 200])
    const raw = networkRawClient({ port })
    const socket = await raw.connect()
    socket.send(packet(1))
    await until(() => running.length === 1)
    const closing = app.close()
    expect([await get('/health'), await get('/ping'), await get('/nowhere')]).toEqual([503, 503, 404])
    expect(connections.slice(3)).toEqual(['close', 'close', 'close'])
    // The port is closed.
    await expect(get('/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    end.resolve('done')
    await closing
    agent.destroy()
    await raw.close()
  })
})
