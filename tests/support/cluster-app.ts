// An app in several processes, for tests of the cluster: what it does is in its environment variables.
import { existsSync, writeSync } from 'node:fs'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { createApp, type Environment, type Plugin, route } from '@twinwire/core'
import { cluster } from '@twinwire/core/cluster'
import type { Broker } from '@twinwire/core/transport'
import { clusterMetrics, type MetricsAccess, metrics } from '@twinwire/plugin-metrics'
import * as v from 'valibot'
import { brokerOf } from '../../packages/core/src/hub/broker.fixtures.ts'

const { WORKERS = '2', PORT = '0', BROKEN = '', RESTART = '{}', METRICS_HOST, BLOCKED, PART } = process.env

const who = route({ http: 'GET /who', handler: () => ({ pid: process.pid, parent: process.ppid }) })
/** Prints that it was accepted, at once, and answers later. */
const work = route({
  http: 'GET /work/:ms/:name',
  input: v.object({ ms: v.number(), name: v.string() }),
  handler: async ({ ms, name }) => {
    writeSync(1, `{"accepted":"${name}"}\n`)
    await setTimeout(ms)
    return { name }
  },
})

/** Blocks this process, for as long as the file exists. */
const block = route({
  http: 'GET /block',
  handler: () => {
    while (existsSync(String(BLOCKED)));
    return {}
  },
})

const access: MetricsAccess = METRICS_HOST === undefined ? 'public' : { port: 0, host: METRICS_HOST }

interface Part {
  readonly environment?: Environment
  readonly plugins: readonly Plugin[]
  readonly broker?: Broker
}

/** What works in one process only. */
async function createPart(): Promise<Part> {
  if (PART === 'broker') return { environment: 'production', plugins: [] }
  if (PART === 'limits') {
    const { rateLimit } = await import('@twinwire/plugin-ratelimit')
    // A broker of all processes, so that only the limits are refused.
    return { environment: 'production', plugins: [rateLimit()], broker: brokerOf({}) }
  }
  if (PART === 'database') {
    const { database } = await import('@twinwire/core/database')
    return { plugins: [database({ url: 'pglite://memory' })] }
  }
  if (PART === 'issuer') {
    const { createTestIssuer } = await import('@twinwire/plugin-auth/testing')
    await createTestIssuer()
  }
  return { plugins: [] }
}

async function run(): Promise<void> {
  // The file appears while the cluster runs: workers that start from then on fail.
  if (BROKEN !== '' && existsSync(BROKEN)) process.exit(7)
  const part = await createPart()
  const app = createApp({
    pkgIds: { WHO: 1, WORK: 2 },
    routes: { WHO: who, WORK: work },
    endpoints: [block],
    plugins: [metrics({ access }), ...part.plugins],
    ...(part.broker !== undefined && { broker: part.broker }),
    environment: part.environment ?? 'staging',
    defaultAccess: 'public',
    http: { hosts: ['*'] },
    log: 'info',
    drainSpreadMs: 0,
  })
  await app.listen({ port: Number(PORT) })
}

cluster({
  workers: Number(WORKERS),
  run,
  metrics: clusterMetrics(),
  ...(WORKERS !== '1' && { endpoint: { port: 0 } }),
  environment: 'staging',
  log: 'info',
  restart: JSON.parse(RESTART),
}).catch((error: unknown) => {
  console.error(String(error))
  process.exitCode = 1
})
