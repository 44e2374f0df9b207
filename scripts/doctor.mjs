// Runs `twinwire doctor` in the example, from the sources, in this process, so that the exit code is its own.
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
// Also when run directly, not as an npm script.
await import('./ensure-installed.mjs')
process.chdir(join(root, 'examples', 'authors'))
process.argv.splice(2, 0, '--conditions=@twinwire/source', '../../packages/cli/src/main.ts', 'doctor')
await import('tsx/cli')
