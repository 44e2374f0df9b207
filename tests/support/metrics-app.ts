// Every instrument that an app of all plugins declares, for the tables of docs_site/metrics.md. Nothing listens, and no service is needed.
import { createApp, event, route } from '@twinwire/core'
import { database, once, transaction } from '@twinwire/core/database'
import type { InstrumentFamily } from '@twinwire/core/plugin'
import { createTestLogger, memoryTransport } from '@twinwire/core/testing'
import { audit, audited } from '@twinwire/plugin-audit'
import { auth } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { metrics } from '@twinwire/plugin-metrics'
import { openapi } from '@twinwire/plugin-openapi'
import { otel } from '@twinwire/plugin-otel'
import { profiling } from '@twinwire/plugin-profiling'
import { memoryStore, rateLimit, redisStore } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'
import { createBrokerCells } from '../../packages/broker-redis/src/broker-instruments.ts'
import type { Instruments } from '../../packages/core/src/base/instruments.ts'
import { createCounters } from '../../packages/core/src/cluster/counters.ts'
import { Reports } from '../../packages/core/src/cluster/reports.ts'

/** What the parent of a cluster counts. */
function declareClusterInstruments(instruments: Instruments): void {
  createCounters(instruments, () => 0)
  new Reports({
    workers: () => [],
    readyWorkers: 1,
    metrics: null,
    endpoint: null,
    instruments,
    log: createTestLogger(),
  })
}

/** Made by the connection to Redis: the limits of this app have it, and it does not have to answer. */
const redisUrl = 'redis://127.0.0.1:1/0'

const boot = async (store: ReturnType<typeof memoryStore>): Promise<readonly InstrumentFamily[]> => {
  const issuer = await createTestIssuer({})
  const app = createApp({
    environment: 'test',
    log: 'silent',
    pkgIds: { PAY: 1, PAID: 2 },
    routes: {
      PAY: route({
        use: [audited(), once({ retention: 60_000 }), transaction()],
        input: v.object({ amount: v.number() }),
        handler: () => null,
      }),
    },
    events: { PAID: event({ data: v.null() }) },
    tasks: { tidy: { everyMs: 3_600_000, run: () => {} } },
    plugins: [
      database({
        url: 'pglite://memory',
        migrations: new URL('../../examples/authors/drizzle', import.meta.url),
        embeddedExtensions: ['pg_trgm'],
        outbox: {},
      }),
      auth({
        issuer: issuer.issuer,
        clientId: 'test-client',
        audience: 'test-client',
        allowInsecureIssuer: true,
        backChannelLogout: true,
      }),
      rateLimit({ store }),
      metrics(),
      audit(),
      openapi({ access: 'public', info: { title: 'All', version: '1' } }),
      otel(),
      profiling({ access: 'public' }),
    ],
    transport: memoryTransport(),
    drainTimeoutMs: 0,
  })
  try {
    await app.ready()
    createBrokerCells(app.instruments)
    declareClusterInstruments(app.instruments)
    return app.instruments.families()
  } finally {
    await app.close()
    await issuer.stop()
  }
}

export async function declaredInstruments(): Promise<readonly InstrumentFamily[]> {
  const families = [...(await boot(memoryStore())), ...(await boot(redisStore(redisUrl)))]
  return [...new Map(families.map((family) => [family.name, family])).values()]
}
