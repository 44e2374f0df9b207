// Writes the tables of pages of docs_site from the declarations of the source: what is between `<!-- table: name -->` and `<!-- /table -->`.
// With --check it writes nothing, and exits with 1 if a page differs. Run by `npm run tables`, from the sources.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { bootErrors } from './lib/tables/boot-errors.mjs'
import { limits } from './lib/tables/limits.mjs'
import { fillPage } from './lib/tables/markdown.mjs'
import { metrics } from './lib/tables/metrics.mjs'
import { settings } from './lib/tables/settings.mjs'
import { wireProtocol } from './lib/tables/wire-protocol.mjs'

const { 'metrics-cluster': ofCluster, ...ofApps } = metrics
const pages = {
  'boot-errors.md': bootErrors,
  'limits.md': limits,
  'cluster.md': { 'metrics-cluster': ofCluster },
  'metrics.md': ofApps,
  'settings.md': settings,
  'wire-protocol.md': { ...wireProtocol, 'limits-websocket': limits['limits-websocket'] },
}

for (const [name, parts] of Object.entries(pages)) {
  const file = new URL(`../docs_site/${name}`, import.meta.url)
  const page = readFileSync(file, 'utf8')
  const filled = fillPage(name, page, parts)
  if (filled === page) continue
  if (process.argv.includes('--check')) {
    console.error(`docs_site/${name} does not match the declarations: run npm run tables`)
    process.exitCode = 1
  } else {
    writeFileSync(file, filled)
    console.log(`wrote docs_site/${name}`)
  }
}
