import { redisBroker } from '@twinwire/broker-redis'
import { createApp, jsonCodec, memoryBroker, staticFiles, uws } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { protobufCodec } from '@twinwire/core/protobuf'
import { audit } from '@twinwire/plugin-audit'
import { type AuthOptions, auth } from '@twinwire/plugin-auth'
import { metrics } from '@twinwire/plugin-metrics'
import { consoleFolder, openapi } from '@twinwire/plugin-openapi'
import { profiling } from '@twinwire/plugin-profiling'
import { memoryStore, rateLimit, redisStore } from '@twinwire/plugin-ratelimit'
import {
  authorChanged,
  authorCreated,
  createAuthor,
  deleteAuthor,
  getAuthor,
  getAuthors,
  getPaginatedAuthors,
  updateAuthor,
} from './authors/author.routes.ts'
import { authorTopics } from './authors/author.topics.ts'
import { seedAuthors } from './authors/seed-authors.ts'
import { type DevelopmentUsers, developmentUsers } from './development-users.ts'
import { PkgID } from './pkg-ids.ts'
import { requireRoles } from './roles.ts'
import { isDevelopmentIn, type Settings } from './settings.ts'

export const websocketPath = '/web'
/** Where the issuer reports that a session has ended. */
export const logoutPath = '/auth/backchannel-logout'

/** What is served at `/`: in development the console, else a page of its own. */
const publicFolder = new URL('../public', import.meta.url)

/**
 * Composes the application; nothing is opened before it starts. `keycloak` is the issuer of its users; `development`, with the development issuer,
 * gives tokens to callers of this machine.
 */
export function createAuthorsApp(
  settings: Settings,
  keycloak: AuthOptions,
  development: DevelopmentUsers | null = null,
) {
  const isDevelopment = isDevelopmentIn(settings.environment)
  return createApp({
    environment: settings.environment,
    pkgIds: PkgID,
    routes: {
      GET_AUTHORS: getAuthors,
      GET_PAGINATED_AUTHORS: getPaginatedAuthors,
      CREATE_AUTHOR: createAuthor,
      UPDATE_AUTHOR: updateAuthor,
      DELETE_AUTHOR: deleteAuthor,
    },
    events: { AUTHOR_CREATED: authorCreated, AUTHOR_CHANGED: authorChanged },
    topics: authorTopics,
    // Without Redis publications reach the connections of this process only, which production refuses for several workers.
    broker: settings.redis === null ? memoryBroker() : redisBroker(settings.redis),
    // A page and what it loads, at every path that no route has.
    endpoints: [
      getAuthor,
      staticFiles({ root: isDevelopment ? consoleFolder() : publicFolder, prefix: '/', access: 'public' }),
    ],
    plugins: [
      database({
        ...settings.database,
        migrations: new URL('../drizzle', import.meta.url),
        // For the indexes of the audit log; a PostgreSQL server has it.
        embeddedExtensions: ['pg_trgm'],
        onStart: seedAuthors,
        outbox: {},
      }),
      auth({
        ...keycloak,
        breaker: { ...keycloak.breaker, ...settings.circuitBreakers },
        backChannelLogout: { path: logoutPath },
      }),
      rateLimit({
        ...settings.rateLimit,
        breaker: { ...settings.rateLimit.breaker, ...settings.circuitBreakers },
        store: settings.redis === null ? memoryStore() : redisStore(settings.redis),
      }),
      metrics(settings.metrics),
      // Who did what is for administrators, in development too.
      audit({ ...settings.audit, access: { use: [requireRoles('admin')] } }),
      openapi({
        // Outside development what the API looks like is for administrators.
        access: isDevelopment ? 'public' : { use: [requireRoles('admin')] },
        info: { title: 'Authors', version: settings.metrics.version ?? '0.0.0' },
      }),
      ...(settings.profiling.enabled ? [profiling({ access: { use: [requireRoles('admin')] } })] : []),
      ...(development === null || !isDevelopment ? [] : [developmentUsers(development)]),
    ],
    // As clients of the reference system expect: over HTTP unknown keys of a query or a body are not an error.
    http: { ...settings.http, unknownKeys: 'ignore' },
    websocket: { path: websocketPath, ...settings.websocket },
    // The second one by `?format=protobuf`.
    codecs: [jsonCodec, protobufCodec()],
    log: settings.log,
    docs: settings.docs,
    transport: uws(settings.nativeServer),
    ...settings.lifecycle,
  })
}
