import { redisBroker } from '@twinwire/broker-redis'
import { createApp, memoryBroker, staticFiles } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { type AuthOptions, auth } from '@twinwire/plugin-auth'
import { metrics } from '@twinwire/plugin-metrics'
import { memoryStore, rateLimit, redisStore } from '@twinwire/plugin-ratelimit'
import { api } from './api.ts'
import { addPhoto, getPhoto } from './photos/photo.routes.ts'
import type { Settings } from './settings.ts'

/** Puts the application together. Nothing is opened before it listens. `issuer`: where its users sign in. */
export function createShoppingApp(settings: Settings, issuer: AuthOptions) {
  const { redis } = settings
  return createApp({
    ...api,
    environment: settings.environment,
    // Over HTTP alone. The page is at every path that no route has.
    endpoints: [
      addPhoto,
      getPhoto,
      staticFiles({ root: new URL('../public', import.meta.url), prefix: '/', access: 'public' }),
    ],
    // With Redis an event reaches the connections of all processes, and a limit counts the calls of all.
    broker: redis === null ? memoryBroker() : redisBroker(redis),
    plugins: [
      database({ ...settings.database, migrations: new URL('../drizzle', import.meta.url), outbox: {} }),
      auth(issuer),
      rateLimit({ ...settings.rateLimit, store: redis === null ? memoryStore() : redisStore(redis) }),
      metrics(settings.metrics),
    ],
    http: settings.http,
    websocket: settings.websocket,
    log: settings.log,
    ...settings.lifecycle,
  })
}
