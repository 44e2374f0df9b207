//: if redis
import { redisBroker } from '@twinwire/broker-redis'
//: end
import { createApp, {{redis:memoryBroker, }}{{page:staticFiles, }}uws } from '@twinwire/core'
//: if database
import { database } from '@twinwire/core/database'
//: end
//: if auth
import { type AuthOptions, auth } from '@twinwire/plugin-auth'
//: end
//: if metrics
import { metrics } from '@twinwire/plugin-metrics'
//: end
//: if limits and redis
import { memoryStore, rateLimit, redisStore } from '@twinwire/plugin-ratelimit'
//: end
//: if limits and not redis
import { rateLimit } from '@twinwire/plugin-ratelimit'
//: end
import { events, routes, topics } from './features.ts'
import { PkgID } from './pkg-ids.ts'
import type { Settings } from './settings.ts'

/** Composes the application; nothing is opened before it starts.{{auth: `issuer` is where its users sign in.}} */
export function createNotesApp(settings: Settings{{auth:, issuer: AuthOptions}}) {
  return createApp({
    environment: settings.environment,
    pkgIds: PkgID,
    routes,
    events,
    topics,
    //: if not auth
    // There are no users: every route is public.
    defaultAccess: 'public',
    //: end
    //: if redis
    // Without Redis publications reach the connections of this process only.
    broker: settings.redis === null ? memoryBroker() : redisBroker(settings.redis),
    //: end
    //: if page
    // At every path that no route has.
    endpoints: [staticFiles({ root: new URL('../public', import.meta.url), prefix: '/', access: 'public' })],
    //: end
    //: if database or auth or limits or metrics
    plugins: [
      // Set up in this order, and closed in reverse.
      //: if database
      database({ ...settings.database, migrations: new URL('../drizzle', import.meta.url) }),
      //: end
      //: if auth
      auth(issuer),
      //: end
      //: if limits and redis
      rateLimit({
        ...settings.rateLimit,
        store: settings.redis === null ? memoryStore() : redisStore(settings.redis),
      }),
      //: end
      //: if limits and not redis
      rateLimit(settings.rateLimit),
      //: end
      //: if metrics
      metrics(settings.metrics),
      //: end
    ],
    //: end
    http: settings.http,
    websocket: settings.websocket,
    log: settings.log,
    transport: uws(settings.nativeServer),
    ...settings.lifecycle,
  })
}
