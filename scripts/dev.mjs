// Runs the example from its sources and restarts it when they, or the sources of core, change.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { endWithParent } from './end-with-parent.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
// The pages that the example serves.
execFileSync(process.execPath, [join(root, 'packages', 'plugin-openapi', 'build-pages.mjs')], { stdio: 'inherit' })
process.chdir(join(root, 'examples', 'authors'))
process.argv.splice(2, Number.POSITIVE_INFINITY, 'watch', '--conditions=@twinwire/source', 'src/main.ts')
endWithParent('dev')
await import('tsx/cli')
