// Runs before scripts that need the packages of the workspace: installs them if they differ from the lockfile, as in a
// fresh clone, and builds the pages if there are none. Prints to stderr, because the output of the script may be a token, or JSON.
// With `--built` the packages must have been built too; it does not build them.
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
    console.error('Installing the packages failed: run npm run bootstrap in the root of the repository to see why')
    process.exit(status ?? 1)
  }
}
const pages = join(root, 'packages', 'plugin-openapi')
// What starts the example from its sources serves them.
if (!existsSync(join(pages, 'pages', 'console', 'index.html'))) {
  const { status } = spawnSync(process.execPath, [join(pages, 'build-pages.mjs')], { stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(status ?? 1)
}
if (process.argv.includes('--built') && !existsSync(join(root, 'packages', 'core', 'dist', 'index.js'))) {
  console.error('The packages are not built: run npm start or npm run build in the root of the repository')
  process.exit(1)
}

/** pnpm keeps a copy of the installed lockfile. */
function isInstalled() {
  const installed = join(root, 'node_modules', '.pnpm', 'lock.yaml')
  return existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')
}
