import process from 'node:process'
import { BootError, type Plugin, reply, route } from '@twinwire/core'
import {
  type AccessOnApp,
  addGuardedEndpoint,
  type ClusterWorker,
  describeEndpointAccess,
  type Instruments,
  type MetricsPage,
  type PluginHost,
} from '@twinwire/core/plugin'
import { toFormat } from './accept.ts'
import { createErrorCounters } from './error-counters.ts'
import { Exemplars } from './exemplars.ts'
import { contentTypes } from './exposition.ts'
import { claimNames } from './names.ts'
import { type NodeDefaults, nodeDefaults } from './node-defaults.ts'
import { type MetricsOptions, names, type ResolvedMetricsOptions, resolveMetricsOptions } from './options.ts'
import type { PromRegistry } from './prom-registry.ts'
import { Scraper } from './scraper.ts'

/**
 * Serves the metrics of the app, its plugins and the process at `GET /metrics`, in the text format of Prometheus or, if the scraper prefers
 * it, as OpenMetrics. A call costs the same with and without this plugin.
 *
 * @throws BootError `bad_option`, `unknown_option`, `missing_peer`, `unavailable_port`, when the app starts; `duplicate_instrument` for a name of
 * `registry` that is already used.
 *
 * @example
 * metrics({ version: '1.4.0', access: { networks: ['10.0.0.0/8'] } })
 */
export function metrics(options: MetricsOptions = {}): Plugin<void> {
  return {
    name: 'metrics',
    doctor(host) {
      if (options.nodeDefaults !== false)
        host.peer(
          'prom-client',
          'metrics() requires it for the metrics of Node.js, unless nodeDefaults is false',
          import.meta.url,
        )
      host.doctor('metrics', () => {
        const { access, path } = resolveMetricsOptions(options, host.environment)
        return { level: 'ok', message: `${path} is served ${describeEndpointAccess(access)}` }
      })
    },
    async setup(host) {
      const resolved = resolveMetricsOptions(options, host.environment)
      const node = resolved.nodeDefaults ? await nodeDefaults() : null
      const scraper = createScraper(host, resolved, node)
      host.onReady(() => checkRegistry(host.instruments, node, resolved.registry))
      await serve(host, resolved, scraper)
    },
  }
}

function createScraper(host: PluginHost, options: ResolvedMetricsOptions, node: NodeDefaults | null): Scraper {
  const { instruments, clock, log, environment } = host
  const { version, registry, collectTimeoutMs } = options
  const exemplars = options.exemplars ? new Exemplars(instruments, clock) : null
  if (exemplars !== null) host.onReply((call, outcome) => exemplars.record(call, outcome), { readsAddress: false })
  const info = { version: [version], node_version: [process.versions.node], environment: [environment] }
  instruments
    .gauge('app_info', 'The application, its Node.js and its environment; always 1', info, { combine: 'one' })
    .cell({ version, node_version: process.versions.node, environment })
    .set(1)
  return new Scraper({
    instruments,
    node,
    registry,
    exemplars,
    clock,
    log,
    collectTimeoutMs,
    errors: createErrorCounters(instruments),
  })
}

/** A duplicate name at boot is an error; one that is registered later is left out of the scrapes. */
function checkRegistry(instruments: Instruments, node: NodeDefaults | null, registry: PromRegistry | null): void {
  if (registry === null) return
  const taken = new Set<string>()
  for (const family of instruments.families()) claimNames(family, taken)
  for (const family of node?.instruments.families() ?? []) claimNames(family, taken)
  for (const metric of node?.registry.getMetricsAsArray() ?? []) claimNames(metric, taken)
  for (const metric of registry.getMetricsAsArray()) {
    const clash = claimNames(metric, taken)
    if (clash === null) continue
    const hint = /^(?:nodejs|process)_/.test(clash)
      ? 'set nodeDefaults: false, or do not collect them in the registry'
      : 'rename it in the registry'
    throw new BootError('duplicate_instrument', `metrics(): the name ${clash} of the registry is already used: ${hint}`)
  }
}

async function serve(host: PluginHost, options: ResolvedMetricsOptions, scraper: Scraper): Promise<void> {
  const { path, access } = options
  const write = host.worker === null ? writeOwn(scraper) : await writeMerged(host.worker, options, scraper)
  if (access === 'public' || !('port' in access)) return serveOnApp(host, path, write, access)
  // In a cluster the parent has that port.
  if (host.worker !== null) return
  const { port, host: address = '127.0.0.1' } = access
  const { clock, log } = host
  let closing = async (): Promise<void> => {}
  host.onReady(async () => {
    const { startScrapeServer } = await import('./scrape-server.ts')
    const server = await startScrapeServer({ host: address, port, path, scraper, clock, log })
    closing = () => server.close()
    const name = address.includes(':') ? `[${address}]` : address
    log.info({ url: `http://${name}:${server.port}${path}` }, 'Serving metrics')
  })
  host.onClose(() => closing())
}

type WritePage = (accept: string) => Promise<MetricsPage>

function writeOwn(scraper: Scraper): WritePage {
  return async (accept) => {
    const format = toFormat(accept)
    return { contentType: contentTypes[format], body: await scraper.scrape(format) }
  }
}

/** Whichever worker a scraper reaches, it gets the metrics of all. */
async function writeMerged(
  worker: ClusterWorker,
  { path, access }: ResolvedMetricsOptions,
  scraper: Scraper,
): Promise<WritePage> {
  const at =
    access !== 'public' && 'port' in access ? { host: access.host ?? '127.0.0.1', port: access.port, path } : null
  await worker.provideMetrics(() => scraper.read(), at)
  return (accept) => worker.readMetrics(accept)
}

function serveOnApp(host: PluginHost, path: `/${string}`, write: WritePage, access: AccessOnApp): void {
  addGuardedEndpoint(host, path, access, names, (ofRoute) =>
    route({
      summary: 'Metrics for Prometheus',
      http: { route: `GET ${path}`, contentType: contentTypes.text },
      access: ofRoute,
      handler: async (_input, call) => {
        const { contentType, body } = await write(call.headers.accept ?? '')
        return reply.bytes(body, { headers: { 'content-type': contentType, 'cache-control': 'no-store' } })
      },
    }),
  )
}
