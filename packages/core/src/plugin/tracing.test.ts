import { AsyncLocalStorage } from 'node:async_hooks'
import { Readable } from 'node:stream'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { Operation } from '../base/operations.ts'
import { setTrace } from '../call/trace.ts'
import type { Tracer } from '../call/tracer.ts'
import { event, guard, reply, route, stream } from '../index.ts'
import { boot, expectBootError } from '../testing/boot.fixtures.ts'
import { codeOf, exchange, packet, plugin, testAuth } from '../testing/suite.fixtures.ts'
import { createTestApp, createVirtualClock, onTransports } from '../testing.ts'

/** What runs now, by name. */
const context = new AsyncLocalStorage<string>()
const here = (): string => context.getStore() ?? 'nothing'
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A tracer that writes down what it is told, and in which context. */
function recorder() {
  const seen: string[] = []
  const operations: Operation[] = []
  const tracer: Tracer = {
    start(call) {
      seen.push(`start ${call.route.name}`)
      setTrace(call, { traceId: '1'.repeat(32), spanId: '2'.repeat(16), sampled: true })
    },
    run: (call, work) => context.run(call.route.name, work, call),
    end: (call, { error, aborted }) =>
      void seen.push(`end ${call.route.name} ${aborted ? 'aborted' : (error?.code ?? 'ok')}`),
    task: (name, work) => context.run(name, work),
    operation(operation) {
      operations.push(operation)
      const outer = here()
      if (outer === 'nothing') return null
      return {
        run: (work) => context.run(`${operation.kind} of ${outer}`, work),
        end: (failure) => void seen.push(`${operation.kind} of ${outer}: ${failure ?? 'ok'}`),
      }
    },
  }
  return { seen, operations, plugin: plugin((host) => host.trace(tracer), 'tracer') }
}

const bob = { id: 'bob', name: 'Bob' }
const news = event({ data: v.object({ text: v.string() }) })
const whereAmI = v.array(v.string())
const looks = guard({ name: 'looks', run: () => ({ atGuard: here() }) })
const pkgIds = { LOOK: 1, ITEMS: 2, REFUSED: 3, TELL: 4, STUCK: 5, ORDERED: 6, NEWS: 100 } as const
const events = { NEWS: news }
const topics = { 'news:*': { authorize: () => here() === 'subscribe' } }
const routes = {
  LOOK: route({
    http: 'POST /look',
    access: 'public',
    use: [looks],
    input: v.object({ text: v.string() }),
    output: whereAmI,
    async handler(_input, { atGuard }) {
      const before = here()
      await later()
      return [atGuard, before, here()]
    },
  }),
  ITEMS: route({
    access: 'public',
    output: stream(v.string()),
    handler: () =>
      (async function* () {
        try {
          for (;;) {
            yield here()
            await later()
          }
        } finally {
          atEnd.push(here())
        }
      })(),
  }),
  REFUSED: route({ http: 'GET /refused', access: 'authenticated', handler: () => 'secret' }),
  TELL: route({
    http: 'POST /tell',
    access: 'public',
    async handler(_input, call) {
      await later()
      call.publish('news:7', news, { text: 'x' })
      call.afterCommit(() => call.sendTo('ann', news, { text: here() }))
      return null
    },
  }),
  STUCK: route({ access: 'public', deadlineMs: 50, handler: () => new Promise(() => {}) }),
  ORDERED: route({ access: 'public', ordered: true, handler: () => later().then(here) }),
} as const
const atEnd: string[] = []

describe('a tracer', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('surrounds all stages of a call on both wires, and its streamed reply', async () => {
      const { seen, plugin: tracer } = recorder()
      const order = plugin((host) => {
        host.onCall(({ route: { name }, log }) => {
          log.info('Called')
          seen.push(`onCall ${name}`)
        })
        host.onReply(({ route: { name } }) => void seen.push(`onReply ${name}`))
      })
      const identities: string[] = []
      const identify = async () => {
        await later()
        identities.push(here())
        return null
      }
      const plugins = [order, tracer, testAuth({ identify, fromUpgrade: () => ({ identity: bob }) })]
      const { request, client, connect, logs } = await start({ pkgIds, events, topics, routes, plugins })
      const look = await request('POST /look', { json: { text: 'x'.repeat(100_000) } })
      expect(look.json()).toEqual(['LOOK', 'LOOK', 'LOOK'])
      expect((await request('GET /refused')).status).toBe(401)
      expect(identities).toEqual(['REFUSED'])
      const socket = await client()
      expect(await socket.call('LOOK', { text: 'x' })).toEqual(['LOOK', 'LOOK', 'LOOK'])
      expect(await Promise.all([socket.call('ORDERED'), socket.call('ORDERED')])).toEqual(['ORDERED', 'ORDERED'])
      const raw = await connect()
      expect(codeOf(await exchange(raw, packet(77)))).toBe('not_found')
      const ordered = ['start', 'onCall', 'onReply', 'end']
      for (const name of ['LOOK', 'REFUSED', 'unmatched']) {
        const own = seen.filter((line) => line.split(' ')[1] === name).map((line) => line.split(' ')[0] ?? '')
        expect(own.slice(0, 4)).toEqual(ordered)
      }
      expect(seen).toContain('end REFUSED authentication_failed')
      expect(logs.find(({ message }) => message === 'Called')?.fields.trace_id).toBe('1'.repeat(32))
    })

    it('ends a call with its stream, which ends on its behalf', async () => {
      const { seen, plugin: tracer } = recorder()
      const { client } = await start({
        pkgIds,
        events,
        topics,
        routes,
        plugins: [tracer, testAuth({ fromUpgrade: () => ({ identity: bob }) })],
      })
      const socket = await client()
      const items: unknown[] = []
      for await (const item of socket.stream('ITEMS')) {
        items.push(item)
        if (items.length === 2) {
          expect(seen).not.toContain('end ITEMS ok')
          break
        }
      }
      expect(items).toEqual(['ITEMS', 'ITEMS'])
      await expect.poll(() => seen).toContain('end ITEMS cancelled')
      await expect.poll(() => atEnd.splice(0)).toEqual(['ITEMS'])
    })

    it('ends a call over HTTP with its body', async () => {
      const { seen, plugin: tracer } = recorder()
      let release = (): void => {}
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      const body = (fails: boolean) =>
        Readable.from(
          (async function* () {
            yield 'first'
            await released
            if (fails) throw new Error('The source has failed')
            yield 'last'
          })(),
        )
      const endpoints = [
        route({ http: 'GET /body', access: 'public', handler: () => reply.stream(body(false)) }),
        route({ http: 'GET /broken', access: 'public', handler: () => reply.stream(body(true)) }),
      ]
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints, plugins: [tracer] })
      const [whole, broken] = [request('GET /body'), request('GET /broken').catch(() => null)]
      await later()
      await expect.poll(() => seen.filter((line) => line.startsWith('start'))).toHaveLength(2)
      expect(seen.filter((line) => line.startsWith('end'))).toEqual([])
      release()
      expect((await whole).text).toBe('firstlast')
      await broken
      await expect.poll(() => seen).toContain('end GET /body ok')
      await expect.poll(() => seen).toContain('end GET /broken internal_error')
    })

    it('receives publications, inside of what publishes', async () => {
      const { seen, operations, plugin: tracer } = recorder()
      const { request, app } = await start({
        pkgIds,
        events,
        topics,
        routes,
        plugins: [tracer, testAuth({ fromUpgrade: () => ({ identity: bob }) })],
      })
      expect((await request('POST /tell')).status).toBe(200)
      await expect.poll(() => seen.filter((line) => line.startsWith('publication'))).toHaveLength(2)
      expect(seen).toContain('publication of TELL: ok')
      await app.hub.broadcast(news, { text: 'outside' })
      // A broker has operations of its own.
      const published = operations.filter(({ kind }) => kind === 'publication')
      expect(published.map((operation) => ({ ...operation, broker: 'any' }))).toEqual([
        { kind: 'publication', destination: 'news:7', pattern: 'news:*', pkgId: 100, broker: 'any' },
        { kind: 'publication', destination: '@me', pattern: '@me', pkgId: 100, broker: 'any' },
        { kind: 'publication', destination: '@all', pattern: '@all', pkgId: 100, broker: 'any' },
      ])
    })
  })

  it('sees a deadline in the trace of its call, and tasks', async () => {
    const { seen, plugin: tracer } = recorder()
    const clock = createVirtualClock()
    const atReply: string[] = []
    const probe = plugin((host) => {
      host.beforeReply(() => void atReply.push(here()), { when: ({ name }) => name === 'STUCK' })
      host.task('sweep', { everyMs: 1000, run: () => void tasks.push(here()) })
    })
    const tasks: string[] = []
    const { client, close } = await createTestApp({
      pkgIds: { STUCK: 5 },
      routes: { STUCK: routes.STUCK },
      clock,
      plugins: [tracer, probe],
    })
    const failed = expect((await client()).call('STUCK')).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await later()
    await clock.advance(60)
    await failed
    expect(atReply).toEqual(['STUCK'])
    expect(seen).toContain('end STUCK deadline_exceeded')
    expect(tasks).toEqual(['probe.sweep'])
    await close({ abandon: true })
  })

  it('is one: a second one is a boot error', async () => {
    expectBootError(
      await boot({ plugins: [recorder().plugin, { ...recorder().plugin, name: 'other' }] }),
      'duplicate_tracer',
      "Plugins 'tracer' and 'other' both trace the app: install one of them",
    )
  })

  it('is asked by no one where there is none', async () => {
    const begins: unknown[] = []
    const probe = plugin((host) => {
      begins.push(host.operations.begin)
      host.onReady(() => void begins.push(host.operations.begin))
    })
    const { close } = await createTestApp({ pkgIds: {}, routes: {}, plugins: [probe] })
    expect(begins).toEqual([null, null])
    await close()
  })
})
