import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Call,
  check,
  createApp,
  defineTopics,
  guard,
  interceptor,
  type Logger,
  PermissionDeniedError,
  route,
  topic,
} from '../index.ts'
import { pluginKey } from '../plugin.ts'
import { deferred, nextJson, plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const pkgIds = { JOIN: 1 }
const routes = {
  JOIN: route({ access: 'public', handler: (_input, call) => call.connection?.join('ticket:7') }),
}
const handshake = { type: 'auth', token: 'ann' }

const storeKey = pluginKey('store').of<{ open(call: Call): string }>()
const withStore = () =>
  guard({ name: 'store.with', needs: storeKey, bind: (api) => (call: Call) => ({ store: api.open(call) }) })
const store = (opened: Call[] = []) => ({
  name: 'store',
  key: storeKey,
  setup: () => ({
    open(call: Call) {
      opened.push(call)
      return `store of ${call.identity?.id}`
    },
  }),
})

describe('a topic with guards', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('asks authorize with what they add, the topic and its parameters: on subscribe, join, resume and renewal', async () => {
      const asked: unknown[] = []
      const opened: Call[] = []
      const topics = defineTopics({
        'ticket:{id}': topic({
          use: [withStore()],
          subscribe: true,
          authorize: ({ identity, topic, params, store }) => {
            asked.push([identity?.id, topic, params, store])
            return params.id === '7'
          },
        }),
      })
      const { client, app } = await start({ pkgIds, routes, topics, plugins: [testAuth(), store(opened)] })
      const one = await client({ handshake })
      await one.subscribe('ticket:7')
      await one.subscribe('ticket:7')
      await one.call('JOIN')
      await expect(one.subscribe('ticket:8')).rejects.toMatchObject({ code: 'permission_denied' })
      await expect(one.subscribe('ticket:')).rejects.toMatchObject({ code: 'permission_denied' })
      await expect(one.subscribe('ticket:7:x')).rejects.toMatchObject({ code: 'permission_denied' })
      one.send(handshake)
      await one.nextControl()
      const of = (id: string) => ['ann', `ticket:${id}`, { id }, 'store of ann']
      expect(asked).toEqual([of('7'), of('7'), of('7'), of('8'), of('7')])
      expect(app.hub.topicSize('ticket:7')).toBe(1)
      expect(opened.map(({ route, wire, id }) => [route.name, wire, id.length])[0]).toEqual([
        'topic ticket:{id}',
        'ws',
        36,
      ])
    })

    it('is refused by a guard, whose error the client gets; only the value true allows', async () => {
      const refusing = guard({
        name: 'refusing',
        run: (): void => {
          throw new PermissionDeniedError('The tenant is closed')
        },
      })
      const topics = {
        guarded: topic({ use: [refusing], subscribe: true, authorize: () => true }),
        // What JavaScript can return.
        truthy: topic({ subscribe: true, authorize: () => 1 as unknown as boolean }),
      }
      const { client } = await start({ pkgIds, routes, topics })
      const one = await client()
      await expect(one.subscribe('guarded')).rejects.toMatchObject({ msg: 'The tenant is closed' })
      await expect(one.subscribe('truthy')).rejects.toMatchObject({ code: 'permission_denied' })
    })

    it('that fails is an internal_error, logged once, and takes a joined topic away', async () => {
      const lines: unknown[] = []
      let fails = false
      const rule = topic({
        subscribe: true,
        authorize: () => {
          if (fails) throw new Error('The database has ended')
          return true
        },
      })
      const { client, app } = await start({
        pkgIds,
        routes,
        topics: { chat: rule },
        plugins: [testAuth()],
        log: { logger: errorsInto(lines), access: false },
      })
      const one = await client({ handshake })
      await one.subscribe('chat')
      fails = true
      await expect(one.subscribe('chat')).rejects.toMatchObject({ code: 'internal_error', msg: 'Internal error' })
      expect(lines).toHaveLength(1)
      expect(app.hub.topicSize('chat')).toBe(1)
      await app.hub.refresh('ann')
      expect(await one.nextControl()).toEqual({ type: 'unsubscribed', topic: 'chat', code: 'permission_denied' })
      expect(lines).toHaveLength(2)
    })

    it('ends with its deadline, and with the connection: then its signal is aborted', async () => {
      const clock = createVirtualClock()
      const signals: AbortSignal[] = []
      const never = deferred<boolean>()
      const rule = topic({
        subscribe: true,
        authorize: ({ signal }) => {
          signals.push(signal)
          return never.promise
        },
      })
      const { connect } = await start({ pkgIds, routes, clock, topics: { 'chat:{id}': rule } })
      const [one, other] = [await connect(), await connect()]
      one.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'chat:1' }))
      await until(() => signals.length === 1)
      await clock.advance(10_001)
      expect(await nextJson(one)).toMatchObject({ type: 'error', id: 1, code: 'deadline_exceeded' })
      expect(signals[0]?.aborted).toBe(true)
      other.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'chat:2' }))
      await until(() => signals.length === 2)
      other.terminate()
      await until(() => signals[1]?.aborted === true)
      never.resolve(true)
    })

    it('of a missing plugin is a boot error that names both', async () => {
      const topics = { chat: topic({ use: [withStore()], authorize: () => true }) }
      await expect(start({ pkgIds, routes, topics })).rejects.toMatchObject({
        code: 'missing_plugin',
        message: expect.stringContaining("topic chat: the step 'store.with' requires the plugin 'store'"),
      })
    })

    it('of a plugin takes the same rules', async () => {
      const watching = plugin((host) => {
        host.topics({ 'watch:{id}': topic({ subscribe: true, authorize: ({ params }) => params.id === '1' }) })
      })
      const { client } = await start({ pkgIds, routes, plugins: [watching] })
      const one = await client()
      await one.subscribe('watch:1')
      await expect(one.subscribe('watch:2')).rejects.toMatchObject({ code: 'permission_denied' })
    })
  })

  it.each([
    ['check', check({ name: 'own', run: () => {} })],
    ['interceptor', interceptor({ name: 'locked', run: (_call, next) => next() })],
  ])('with a %s is a boot error', (kind, step) => {
    // @ts-expect-error: it is a type error first
    const rule = topic({ use: [step], authorize: () => true })
    expect(() => createApp({ pkgIds, routes, topics: { chat: rule } })).toThrow(
      expect.objectContaining({
        code: 'bad_option',
        message: expect.stringContaining(
          `createApp(): topics['chat']: the ${kind} '${step.name}' cannot be used for a topic`,
        ),
      }),
    )
  })
})

function errorsInto(lines: unknown[]): Logger {
  const nothing = (): void => {}
  const error = (...args: readonly unknown[]): void => {
    lines.push(args)
  }
  const logger: Logger = {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: nothing,
    error,
    fatal: error,
    child: () => logger,
  }
  return logger
}
