// The Nodes that a host runs on: this one, and one of each other major that is supported, from npm. The package of the
// platform, not `node`: that one is a script that installs it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { quietEnv } from './env.mjs'

const versions = ['20.20.2', '22.23.3', '24.21.0']
const kept = fileURLToPath(new URL('../../../.cache/nodes/', import.meta.url))

/** @returns {{ version: string, path: string }[]} The current Node first; those that cannot be had are told. */
export function findNodes() {
  const [current] = process.versions.node.split('.')
  const others = versions.filter((version) => version.split('.')[0] !== current)
  return [{ version: process.versions.node, path: process.execPath }, ...others.flatMap(findNode)]
}

function findNode(version) {
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(kept, version)
  const path = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const install = ['install', '--prefer-offline', '--no-save', '--no-package-lock', '--no-audit', '--no-fund']
    spawnSync('npm', [...install, '--prefix', folder, `${name}@${version}`], { cwd: folder, env: quietEnv() })
  }
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  if (stdout?.trim() === `v${version}`) return [{ version, path }]
  const line = `Node ${version} cannot be had here: npm has no ${name}@${version} that runs`
  if (process.env.TWINWIRE_REQUIRE_SERVICES === '1') throw new Error(line)
  console.warn(`SKIPPED, ${line}`)
  return []
}
