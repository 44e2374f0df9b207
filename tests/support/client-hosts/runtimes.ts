// Deno and Bun: the package of the platform, not the one that installs it by a script.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { quietEnv } from '../../package/lib/env.mjs'
import { serviceMissing } from '../service.ts'

const kept = fileURLToPath(new URL('../../../.cache/runtimes/', import.meta.url))
const platform = `${process.platform}-${process.arch}`

const runtimes = {
  Bun: {
    name: `@oven/bun-${platform.replace('arm64', 'aarch64')}`,
    version: '1.4.5',
    file: 'bin/bun',
    args: ['run'],
  },
  Deno: {
    name: `@deno/${platform}${process.platform === 'linux' ? '-glibc' : ''}`,
    version: '2.9.6',
    file: 'deno',
    args: ['run', '--allow-net', '--allow-env', '--no-remote', '--no-config', '--no-lock'],
  },
} as const

/** The command that runs a script in it; null: it cannot be had here, which is printed, or throws where services are required. */
export function findRuntime(runtime: keyof typeof runtimes): readonly string[] | null {
  const { name, version, file, args } = runtimes[runtime]
  const folder = join(kept, `${runtime}-${version}`)
  const path = join(folder, 'node_modules', name, file)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const install = ['install', '--prefer-offline', '--no-save', '--no-package-lock', '--no-audit', '--no-fund']
    spawnSync('npm', [...install, '--prefix', folder, `${name}@${version}`], { cwd: folder, env: quietEnv() })
  }
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  if (stdout?.includes(version) === true) return [path, ...args]
  serviceMissing(runtime, `npm has no ${name}@${version} that runs`)
  return null
}
