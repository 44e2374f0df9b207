import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { BootError } from '@twinwire/core'
import { type HistogramCell, Instruments } from '@twinwire/core/plugin'
import type { PromRegistry } from './prom-registry.ts'

/** The metrics of this process. */
export interface NodeDefaults {
  readonly registry: PromRegistry
  readonly instruments: Instruments
}

let started: Promise<NodeDefaults> | null = null

/**
 * CPU, memory, heap, event loop, handles and garbage collection, by prom-client. Created once for all apps of the process, since they
 * measure the process, and the observers never end.
 */
export function nodeDefaults(): Promise<NodeDefaults> {
  started ??= start()
  return started
}

const gcName = 'nodejs_gc_duration_seconds'

async function start(): Promise<NodeDefaults> {
  const { Registry, collectDefaultMetrics } = await importPromClient()
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // Its observer counts only the first collection of a batch, and under load drops most of them.
  registry.removeSingleMetric(gcName)
  const instruments = new Instruments()
  observeCollections(instruments)
  return { registry, instruments }
}

async function importPromClient(): Promise<typeof import('prom-client')> {
  try {
    return await import('prom-client')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && String(error.code).endsWith('MODULE_NOT_FOUND')
    if (!isMissing) throw error
    throw new BootError(
      'missing_peer',
      "metrics() requires the package 'prom-client' for the metrics of Node.js: npm install prom-client, or set nodeDefaults: false",
      { cause: error },
    )
  }
}

function observeCollections(instruments: Instruments): void {
  const family = instruments.histogram(
    gcName,
    'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
    [0.001, 0.01, 0.1, 1, 2, 5],
    { kind: ['major', 'minor', 'incremental', 'weakcb'] },
  )
  const cells = new Map<number, HistogramCell>([
    [constants.NODE_PERFORMANCE_GC_MAJOR, family.cell({ kind: 'major' })],
    [constants.NODE_PERFORMANCE_GC_MINOR, family.cell({ kind: 'minor' })],
    [constants.NODE_PERFORMANCE_GC_INCREMENTAL, family.cell({ kind: 'incremental' })],
    [constants.NODE_PERFORMANCE_GC_WEAKCB, family.cell({ kind: 'weakcb' })],
  ])
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) cells.get(toKind(entry))?.observe(entry.duration / 1000)
  })
  observer.observe({ entryTypes: ['gc'] })
}

function toKind(entry: PerformanceEntry): number {
  const detail = 'detail' in entry ? entry.detail : null
  return typeof detail === 'object' && detail !== null && 'kind' in detail ? Number(detail.kind) : -1
}
