// Before a script that needs the packages of the workspace: installs them where they are not what the lockfile says, as in a
// fresh clone. Quick where they are. What it prints goes to stderr: the output of the script may be a token, or JSON.
// With `--built` the packages have to be built too, which it leaves to `npm start` in the root.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

if (!isInstalled()) {
  const { status } = spawnSync('npm', ['run', '--silent', 'bootstrap'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error('The packages could not be installed: npm run bootstrap, in the root of the repository, says why')
    process.exit(status ?? 1)
  }
}
if (process.argv.includes('--built') && !existsSync(join(root, 'packages', 'core', 'dist', 'index.js'))) {
  console.error('The packages are not built: run npm start, or npm run build, in the root of the repository')
  process.exit(1)
}

/** pnpm keeps a copy of the lockfile that it has installed. */
function isInstalled() {
  const installed = join(root, 'node_modules', '.pnpm', 'lock.yaml')
  return existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')
}
