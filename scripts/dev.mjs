// Runs the example from its sources and restarts it when they, or the sources of core, change.
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { endWithParent } from './end-with-parent.mjs'

process.chdir(join(fileURLToPath(new URL('..', import.meta.url)), 'examples', 'authors'))
process.argv.splice(2, Number.POSITIVE_INFINITY, 'watch', '--conditions=@twinwire/source', 'src/main.ts')
endWithParent('dev')
await import('tsx/cli')
