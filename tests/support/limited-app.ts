// An application with limits in Redis: one process of several.
import process from 'node:process'
import { closeOnSignals, createApp, route } from '@twinwire/core'
import { rateLimit, redisStore } from '@twinwire/plugin-ratelimit'
import { admit } from './admit.ts'

const app = createApp({
  pkgIds: { HELLO: 1 },
  routes: { HELLO: route({ http: 'GET /hello', handler: () => 'hello' }) },
  environment: 'test',
  log: { level: 'error' },
  plugins: [
    admit,
    rateLimit({
      store: redisStore({ url: process.env.LIMITS_URL, commandTimeoutMs: 10_000 }),
      connections: { perIdentity: 5, leaseMs: 2000 },
    }),
  ],
})
closeOnSignals(app)
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
