import type { ClusterMetrics } from '@twinwire/core/cluster'
import { Instruments, systemClock } from '@twinwire/core/plugin'
import { toFormat } from './accept.ts'
import { createErrorCounters } from './error-counters.ts'
import { contentTypes } from './exposition.ts'
import { mergeMetrics, onlyCumulative } from './merge-metrics.ts'
import type { PromMetric, PromRegistry } from './prom-registry.ts'
import { Scraper } from './scraper.ts'

/**
 * Merges the metrics of the workers of a cluster, in its parent. Required there if the app has `metrics()`. Every page of metrics is then
 * that of all workers: on the port of the app, on the one of `metrics({ access: { port } })`, which the parent opens, and on the `endpoint` of
 * the cluster.
 *
 * @example
 * await cluster({ workers: 4, metrics: clusterMetrics(), run: () => import('./server.js') })
 */
export function clusterMetrics(): ClusterMetrics {
  return {
    start({ instruments, log }) {
      const errors = createErrorCounters(new Instruments())
      let retired: readonly PromMetric[] = []
      let merged: readonly PromMetric[] = []
      const registry: PromRegistry = {
        getMetricsAsJSON: async () => merged,
        getMetricsAsArray: () => merged,
      }
      const collectTimeoutMs = 1000
      const scraper = new Scraper({
        instruments,
        node: null,
        registry,
        clock: systemClock,
        log,
        collectTimeoutMs,
        errors,
      })
      return {
        async write(reports, accept) {
          const metrics = reports.map(({ metrics, current }) => {
            const report = isReport(metrics) ? metrics : []
            return current ? report : onlyCumulative(report)
          })
          merged = mergeMetrics([...metrics, retired])
          const format = toFormat(accept)
          return { contentType: contentTypes[format], body: await scraper.scrape(format) }
        },
        retire(metrics) {
          if (isReport(metrics)) retired = mergeMetrics([retired, onlyCumulative(metrics)])
        },
      }
    },
  }
}

/** By `Scraper.read` in a worker of this version; one of another version may report anything. */
function isReport(metrics: unknown): metrics is readonly PromMetric[] {
  return Array.isArray(metrics) && metrics.every((metric) => Array.isArray(Object(metric).values))
}
