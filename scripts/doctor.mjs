// Runs the doctor of the example from its sources, in this process, so that the exit code is its own.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
if (!existsSync(join(root, 'node_modules', 'tsx'))) {
  // What it prints goes to stderr: stdout is the doctor's, and may be JSON.
  const installed = spawnSync('npm', ['run', 'bootstrap'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (installed.status !== 0) process.exit(installed.status ?? 1)
}
process.chdir(join(root, 'examples', 'authors'))
process.argv.splice(2, 0, '--conditions=@twinwire/source', 'src/doctor.ts')
await import('tsx/cli')
