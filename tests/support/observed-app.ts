// What the example has no need of, in a small app beside it: tasks, server-sent events, and limits in memory.
import { event, reply, route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { metrics } from '@twinwire/plugin-metrics'
import { limit, memoryStore, rateLimit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'

const ticked = event({ data: v.object({ n: v.number() }) })

export interface ObservedApp {
  /** Host and port of its metrics. */
  readonly target: string
  /** Some of everything that it counts. */
  work(): Promise<void>
  close(): Promise<void>
}

/** Resolves when it listens and its task has run. */
export async function startObservedApp(): Promise<ObservedApp> {
  let ran = (): void => {}
  const hasRun = new Promise<void>((resolve) => {
    ran = resolve
  })
  const app = await createTestApp(
    {
      pkgIds: { TICKED: 1 },
      routes: {},
      events: { TICKED: ticked },
      topics: { ticks: { authorize: () => true } },
      endpoints: [
        route({ http: 'GET /ticks', access: 'public', handler: () => reply.events({ topic: 'ticks' }) }),
        route({ http: 'GET /limited', access: 'public', use: [limit('1/h')], handler: () => null }),
      ],
      tasks: {
        tick: {
          everyMs: 50,
          run: () => ran(),
        },
      },
      plugins: [rateLimit({ store: memoryStore() }), metrics({ access: { port: 0 }, nodeDefaults: false })],
    },
    { transport: 'uws', leftovers: 'allow' },
  )
  await hasRun
  const { url } = app.logs.find(({ message }) => message === 'Serving metrics')?.fields ?? {}
  return {
    target: new URL(String(url)).host,
    close: () => app.close({ abandon: true }),
    async work() {
      for (let i = 0; i < 3; i++) await app.request('GET /limited')
      const left = new AbortController()
      const { body } = await app.raw.stream({ method: 'GET', path: '/ticks', signal: left.signal })
      await app.app.hub.publish('ticks', ticked, { n: 1 })
      await body[Symbol.asyncIterator]().next()
      left.abort(new Error('The client has left'))
    },
  }
}
