// examples/plugin-tenants as its author has it: a package of its own, with what is published of Twinwire, from a registry on this machine. It is
// installed, type checked, built and tested against a real PostgreSQL. By hand: `npm run test:outsider`; `-- --keep` leaves its folder there.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { packPackages } from '../../scripts/lib/pack-packages.mjs'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { quietEnv } from './lib/env.mjs'
import { run } from './lib/processes.mjs'
import { startRegistry } from './lib/registry.mjs'

const source = fileURLToPath(new URL('../../examples/plugin-tenants/', import.meta.url))
const publint = fileURLToPath(new URL('../../node_modules/.bin/publint', import.meta.url))
const keep = process.argv.includes('--keep')
const started = performance.now()
const say = (line) => console.log(`outsider: ${line}, after ${((performance.now() - started) / 1000).toFixed(1)} s`)

if (!(await hasPostgres())) process.exit(0)
const core = packPackages().filter(({ name }) => name === '@twinwire/core')
say('packed')
const folder = await mkdtemp(join(tmpdir(), 'twinwire-outsider-'))
const [registry, postgres] = await Promise.all([startRegistry(core), startPostgres()])
try {
  say('registry and PostgreSQL have started')
  const left = new Set(['node_modules', 'dist', 'package-lock.json'])
  await cp(source, folder, {
    recursive: true,
    filter: (path) =>
      !path
        .slice(source.length)
        .split(sep)
        .some((part) => left.has(part)),
  })
  const env = quietEnv({ ...registry.env, CI: 'true', ENV: '', NODE_ENV: '', TEST_DATABASE_URL: postgres.url })
  const step = async (what, command, args) => {
    await run(command, args, { cwd: folder, env })
    say(what)
  }
  await step('installed', 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'])
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'))
  const installed = Object.entries(lock.packages).filter(([path]) => path.includes('node_modules/@twinwire/'))
  const packed = createHash('sha512')
    .update(await readFile(core[0].tarball))
    .digest('base64')
  assert.deepEqual(
    installed.map(([path, { integrity, link = false }]) => [path, integrity, link]),
    [['node_modules/@twinwire/core', `sha512-${packed}`, false]],
    'of Twinwire only core, as it was packed',
  )
  await step('built', 'npm', ['run', 'build'])
  await step('type checked', 'npm', ['run', 'typecheck'])
  await step('tested', 'npm', ['test'])
  // By its own name: what is built, and not the sources that the tests import.
  const list = "import('twinwire-plugin-tenants').then((all) => console.log(Object.keys(all).join()))"
  const names = await run(process.execPath, ['-e', list], { cwd: folder, env })
  assert.match(names, /\btenants,/)
  const { status, stdout } = spawnSync(publint, ['--strict'], { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, stdout)
  say('passed')
} catch (error) {
  console.error(`outsider: FAILED: ${error.message}`)
  process.exitCode = 1
} finally {
  await Promise.all([registry.stop(), postgres.stop()])
  if (keep) console.log(`outsider: ${folder}`)
  else await rm(folder, { recursive: true, force: true })
}
