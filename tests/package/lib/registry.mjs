// A registry on this machine that has the tarballs of the packages, and gets all others from npm.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { quietEnv } from './env.mjs'
import { run } from './processes.mjs'

// The last line of Verdaccio for Node 20; `node-fetch@cjs` is a tag, which not every mirror of npm has.
const manifest = { private: true, dependencies: { verdaccio: '6.8.0' }, overrides: { 'node-fetch': '2.7.0' } }
const kept = fileURLToPath(new URL('../../../.cache/verdaccio/', import.meta.url))
const startWithinMs = 60_000

/**
 * @param {{ name: string, tarball: string }[]} packages
 * @returns {Promise<{ url: string, env: Record<string, string>, stop: () => Promise<void> }>} `env`: what npm, pnpm and Yarn need to use it
 */
export async function startRegistry(packages) {
  const program = await installVerdaccio()
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-registry-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const upstream = (await run('npm', ['config', 'get', 'registry'], { cwd: folder, env: quietEnv() })).trim()
  const own = Object.fromEntries(packages.map(({ name }) => [name, { access: '$all', publish: '$all' }]))
  await writeFile(
    join(folder, 'config.yaml'),
    // JSON is YAML.
    JSON.stringify({
      storage: join(folder, 'storage'),
      web: { enable: false },
      uplinks: { npm: { url: upstream, cache: false, maxage: '1h', timeout: '60s' } },
      packages: { ...own, '**': { access: '$all', proxy: 'npm' } },
      max_body_size: '200mb',
      log: { type: 'stdout', format: 'pretty', level: 'warn' },
    }),
  )
  const child = spawn(
    process.execPath,
    [program, '--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`],
    {
      cwd: folder,
      env: quietEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  const keep = (chunk) => {
    output += chunk
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const ended = once(child, 'close')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  const env = { npm_config_registry: url, [`npm_config_//127.0.0.1:${port}/:_authToken`]: 'any' }
  try {
    await listening(url, () => child.exitCode !== null)
    const publish = ({ tarball }) =>
      // Where it was built cannot be proven here: that is for the real registry.
      run('npm', ['publish', tarball, '--provenance=false', '--loglevel=error'], { cwd: folder, env: quietEnv(env) })
    // Two at a time, as many as there are processors.
    const queue = [...packages]
    const worker = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await publish(next)
    }
    await Promise.all([worker(), worker()])
    return { url, env, stop }
  } catch (error) {
    await stop()
    throw new Error(`The registry failed: ${error.message}\n${output}`, { cause: error })
  }
}

async function installVerdaccio() {
  const folder = join(kept, manifest.dependencies.verdaccio)
  const program = join(folder, 'node_modules', 'verdaccio', 'bin', 'verdaccio')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  const install = ['install', '--prefer-offline', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', install, { cwd: folder, env: quietEnv() })
  return program
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function listening(url, hasEnded) {
  const until = Date.now() + startWithinMs
  for (;;) {
    const response = await fetch(`${url}-/ping`).catch(() => null)
    if (response?.ok) return
    if (hasEnded() || Date.now() > until) throw new Error('it does not listen')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
