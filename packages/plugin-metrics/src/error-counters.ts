import type { CounterCell, Instruments } from '@twinwire/core/plugin'
import { type CollectSource, collectSources } from './scraper.ts'

export function createErrorCounters(instruments: Instruments): Readonly<Record<CollectSource, CounterCell>> {
  const errors = instruments.counter(
    'metrics_collect_errors_total',
    'Metrics that could not be read and were left out of a scrape',
    { source: collectSources },
  )
  return {
    instruments: errors.cell({ source: 'instruments' }),
    node: errors.cell({ source: 'node' }),
    registry: errors.cell({ source: 'registry' }),
  }
}
