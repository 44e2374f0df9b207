// Handlers that forget to await: one package for each promise that core hands out, which fails.
import process from 'node:process'
import { around, type Call, createApp, type Next, route } from '@twinwire/core'
import * as v from 'valibot'
import { drops } from './drops.ts'

/** Fails while what it wraps is at work, and that fails too. */
const leaving = around({
  name: 'leaving',
  run: async (call: Call, next: Next) => {
    const pending = next()
    if (call.query.leave === 'yes') throw new Error('The around left')
    return pending
  },
})

const app = createApp({
  pkgIds: { DROP: 1, PING: 2, NEXT: 3, OWN: 4 },
  routes: {
    DROP: route({
      input: v.object({ name: v.string() }),
      handler: ({ name }, call) => {
        drops(app)[name]?.(call)
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
  environment: 'production',
  defaultAccess: 'public',
  http: { hosts: ['*'] },
  log: { level: 'error' },
  asyncContext: process.env.ASYNC_CONTEXT === 'yes',
  unhandledRejections: process.env.UNHANDLED === 'ignore' ? false : 'log',
})
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
