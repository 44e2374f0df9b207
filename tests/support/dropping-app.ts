// Handlers that forget to await: one package for each promise that core returns, which rejects.
import process from 'node:process'
import { type Call, createApp, guard, interceptor, type Next, route } from '@twinwire/core'
import { database, databaseKey } from '@twinwire/core/database'
import { type LimitStoreFactory, limit, memoryStore, rateLimit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'
import { appDrops, callDrops, type DropContext, ghosts, loneDrops } from './drops.ts'

/** Fails while what it wraps still runs, and that fails too. */
const leaving = interceptor({
  name: 'leaving',
  run: async (call: Call, next: Next) => {
    const pending = next()
    if (call.query.leave === 'yes') throw new Error('The interceptor left')
    return pending
  },
})

const withApi = guard({ name: 'api', needs: databaseKey, bind: (api) => () => ({ api }) })
const drops = { ...callDrops, ...appDrops, ...loneDrops }
const memory = memoryStore()
/** Serves calls, and fails those that an application makes itself. */
const store: LimitStoreFactory = {
  ...memory,
  async open(services) {
    const opened = await memory.open(services)
    const failing = async (): Promise<never> => {
      throw new Error('no')
    }
    return Object.assign(opened, { reset: failing, peek: failing })
  },
}
const limits = rateLimit({ store, websocket: '100000/m' })

const app = createApp({
  pkgIds: { DROP: 1, PING: 2, NEXT: 3, OWN: 4 },
  routes: {
    DROP: route({
      use: [withApi, limit('100000/m')],
      input: v.object({ name: v.string() }),
      handler: ({ name }, call) => {
        // The schema is that of database() below.
        const db = call.api.forCall(call) as DropContext['db']
        void drops[name]?.({ app, call, api: call.api, db, limits })
        return 'done'
      },
    }),
    PING: route({ handler: () => 'pong' }),
    NEXT: route({
      use: [leaving],
      handler: async (): Promise<string> => {
        await new Promise((resolve) => setImmediate(resolve))
        throw new Error('The handler failed later')
      },
    }),
    /** What an application has made itself: nothing of core can be around it. */
    OWN: route({
      handler: () => {
        void (async () => {
          throw new Error('A helper of the application failed')
        })()
        return 'done'
      },
    }),
  },
  topics: { 'x:*': { authorize: () => false } },
  plugins: [
    database({ url: process.env.DATABASE ?? 'pglite://memory', schema: { ghosts }, allowEmbedded: true }),
    limits,
  ],
  environment: 'production',
  defaultAccess: 'public',
  http: { hosts: ['*'] },
  log: { level: 'error' },
  asyncContext: process.env.ASYNC_CONTEXT === 'yes',
  unhandledRejections: process.env.UNHANDLED === 'ignore' ? false : 'log',
})
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
