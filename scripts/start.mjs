// Builds the packages and the example (JavaScript only), then runs the example in this process, so that signals and the exit
// code are the example's own.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { endWithParent } from './end-with-parent.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const example = join(root, 'examples', 'authors')
const require = createRequire(import.meta.url)
const tsup = join(dirname(require.resolve('tsup/package.json')), 'dist', 'cli-default.js')

const packages = [
  'core',
  'redis',
  'broker-redis',
  'plugin-auth',
  'plugin-ratelimit',
  'plugin-metrics',
  'plugin-openapi',
  'plugin-audit',
  'plugin-otel',
  'plugin-profiling',
]

for (const folder of [...packages.map((name) => join(root, 'packages', name)), example]) {
  const built = spawnSync(process.execPath, [tsup, '--silent'], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, TWINWIRE_BUILD_DTS: 'off' },
  })
  if (built.error) throw built.error
  if (built.status !== 0) process.exit(built.status ?? 1)
}

process.chdir(example)
endWithParent('start')
const main = join(example, 'dist', 'main.js')
process.argv[1] = main
await import(pathToFileURL(main).href)
