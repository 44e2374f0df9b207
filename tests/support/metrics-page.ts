import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface DocumentedMetric {
  readonly type: string
  /** In alphabetical order. */
  readonly labels: readonly string[]
}

/** The tables of `docs_site/metrics.md`, by name. */
export function readMetricsPage(): Map<string, DocumentedMetric> {
  const page = readFileSync(fileURLToPath(new URL('../../docs_site/metrics.md', import.meta.url)), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \|([^|]*)\|/gm)]
  return new Map(
    rows.map(([, name = '', type = '', labels = '']) => [
      name,
      { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort() },
    ]),
  )
}
