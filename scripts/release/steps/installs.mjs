// What `npm install` of one package brings into an empty host: its peers too, as npm installs those that are not optional.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quietEnv } from '../../../tests/package/lib/env.mjs'
import { run } from '../../../tests/package/lib/processes.mjs'
import { megabytes } from '../sizes.mjs'

const options = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

export async function checkInstalls({ packages, registry }) {
  const faults = []
  const queue = [...packages]
  // Two at a time: an install waits for the network or the disk.
  await Promise.all([worker(), worker()])
  const table = [['package', 'installed', 'packages']]
  for (const { name, sizes } of packages) table.push([name, megabytes(sizes.installed), String(sizes.packages)])
  return { did: `${packages.length} hosts of one package`, faults, table }

  async function worker() {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        next.sizes = { ...next.sizes, ...(await installAlone(next, registry)) }
      } catch (error) {
        next.sizes = { ...next.sizes, installed: Number.NaN, packages: Number.NaN }
        faults.push(`${next.name} cannot be installed: ${error.message}`)
      }
    }
  }
}

async function installAlone({ name, version }, registry) {
  const cwd = mkdtempSync(join(tmpdir(), 'twinwire-install-'))
  try {
    writeFileSync(join(cwd, 'package.json'), '{ "private": true }')
    await run('npm', ['install', ...options, `${name}@${version}`], { cwd, env: quietEnv(registry.env) })
    const lock = JSON.parse(readFileSync(join(cwd, 'node_modules/.package-lock.json'), 'utf8'))
    return { installed: bytesIn(join(cwd, 'node_modules')), packages: Object.keys(lock.packages).length }
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

function bytesIn(folder) {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += bytesIn(path)
    if (entry.isFile()) bytes += statSync(path).size
  }
  return bytes
}
