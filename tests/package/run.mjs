// The packed packages in hosts that are not ours: each host is copied to a temporary folder, gets the tarballs and its
// own packages from npm (or pnpm, see host.json), is type checked and built, and then, on each Node: starts, answers on
// both wires, stops with 0. By hand: `npm run test:package -- [options] [host...]`.
//   --with npm|pnpm|yarn   all hosts with this one
//   --registry <url>       from a registry that has the packages, not from tarballs; Yarn needs it
//   --typescript <version> all hosts with this one
//   --node 20|22|24        on this Node only
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packPackages } from '../../scripts/lib/pack-packages.mjs'
import { checkBothWires } from './lib/both-wires.mjs'
import { quietEnv } from './lib/env.mjs'
import { installers, overridesOf } from './lib/installers.mjs'
import { findNodes } from './lib/nodes.mjs'
import { run, startServer } from './lib/processes.mjs'

const hosts = fileURLToPath(new URL('hosts/', import.meta.url))

const started = performance.now()
const since = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`
const { values: given, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: {
    with: { type: 'string' },
    registry: { type: 'string' },
    typescript: { type: 'string' },
    node: { type: 'string' },
  },
})
if (given.with && !installers[given.with])
  throw new Error(`--with is one of ${Object.keys(installers).join(', ')}, not ${given.with}`)
if (given.with === 'yarn' && !given.registry) throw new Error('--with yarn needs --registry')
const env = quietEnv({
  CI: 'true',
  NODE_ENV: 'development',
  ENV: '',
  PORT: '0',
  ...(given.registry && { npm_config_registry: given.registry, YARN_NPM_REGISTRY_SERVER: given.registry }),
})
const names = readdirSync(hosts).filter((name) => asked.length === 0 || asked.includes(name))
if (names.length === 0) throw new Error(`no such host; there are ${readdirSync(hosts).join(', ')}`)

const packages = packPackages()
for (const { name, tarball } of packages)
  console.log(`package: ${name}: tarball ${size(statSync(tarball).size)}, packed after ${since(started)}`)
const nodes = findNodes().filter(({ version }) => !given.node || version.split('.')[0] === given.node)
if (nodes.length === 0) throw new Error(`there is no Node ${given.node} here`)
console.log(`package: Node ${nodes.map(({ version }) => version).join(', ')} after ${since(started)}`)

const failed = []
// Two at a time: an install waits for the disk, a type check for the processor.
const queue = [...names]
await Promise.all([worker(), worker()])
console.log(`package: ${names.length - failed.length} hosts passed, ${failed.length} failed, in ${since(started)}`)
process.exitCode = failed.length === 0 ? 0 : 1

async function worker() {
  for (let name = queue.shift(); name; name = queue.shift()) {
    const folder = await mkdtemp(join(tmpdir(), `twinwire-${name}-`))
    try {
      console.log(await tryHost(name, folder))
    } catch (error) {
      failed.push(name)
      console.error(`package: ${name}: FAILED: ${error instanceof Error ? error.message : error}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Resolves with the lines to print: those of two hosts are not to mix. */
async function tryHost(name, folder) {
  const lines = []
  const say = (line) => lines.push(`package: ${name}: ${line}`)
  await cp(join(hosts, name), folder, { recursive: true })
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const { installer: usual = 'npm', sourcesOf, alsoAs } = manifest.twinwireHost ?? {}
  const installer = given.with ?? usual
  if (sourcesOf) await cp(join(hosts, sourcesOf), folder, { recursive: true, force: false })

  let from = performance.now()
  for (const { name: dependency, tarball, version } of packages)
    if (manifest.dependencies[dependency])
      manifest.dependencies[dependency] = given.registry ? `^${version}` : `file:${tarball}`
  if (given.typescript) manifest.devDependencies.typescript = given.typescript
  if (!given.registry) Object.assign(manifest, overridesOf(installer, manifest.dependencies, packages))
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  const [command, ...args] = installers[installer].install
  await run(command, args, { cwd: folder, env })
  say(`${installer} install ${since(from)}`)

  from = performance.now()
  for (const step of ['types', 'build'].filter((each) => manifest.scripts[each])) {
    const { typeErrorsOf } = manifest.twinwireHost ?? {}
    await run('npm', ['run', '--silent', step], { cwd: folder, env }).catch((error) => {
      if (step !== 'types' || !typeErrorsOf || !isOnlyIn(typeErrorsOf, error.output)) throw error
      say(`the declarations of ${typeErrorsOf} have errors of their own, those of the packages none`)
    })
  }
  if (alsoAs) await checkTypesAs(alsoAs, folder, manifest)
  say(`type check and build ${since(from)}`)

  // As it is deployed: nothing of what built it is there any more.
  const [pruneCommand, ...pruneArgs] = installers[installer].prune
  await run(pruneCommand, pruneArgs, { cwd: folder, env })
  say(`size of the installation ${sizeOfInstall(folder, manifest)}`)

  for (const node of nodes) {
    // What can be said without a server, such as a peer that is missing.
    if (manifest.twinwireHost?.check) await run(node.path, [manifest.twinwireHost.check], { cwd: folder, env })
    say(`Node ${node.version}: ${await serve(node.path, manifest.main, folder)}`)
  }
  // The line for a Dockerfile is for a flat `node_modules`.
  if (manifest.twinwireHost?.oneBinary && installer !== 'pnpm') {
    const modules = join(folder, 'node_modules')
    // Copies for an older glibc, one for each Node that has run: no part of the installation.
    await rm(join(modules, '.cache'), { recursive: true, force: true })
    const before = size(sizeOf(modules))
    await run('sh', ['-c', await readBinaryLine()], { cwd: folder, env })
    const binaries = readdirSync(join(modules, 'uWebSockets.js')).filter((file) => file.endsWith('.node'))
    assert.equal(binaries.length, 1, `one binary is left: ${binaries}`)
    say(`with one binary of uWebSockets.js ${size(sizeOf(modules))} instead of ${before}`)
    say(`with one binary: ${await serve(process.execPath, manifest.main, folder)}`)
  }
  return lines.join('\n')
}

/** The line for a Dockerfile, as the page on installing has it. */
async function readBinaryLine() {
  const page = await readFile(new URL('../../docs_site/installing.md', import.meta.url), 'utf8')
  const [, line] = /^RUN npm ci --omit=dev \\\n && (find .*)$/m.exec(page) ?? []
  assert.ok(line, 'docs_site/installing.md has the line for a Dockerfile')
  return line
}

/** The same sources as modules of the other kind, whose imports lead to the other declarations. */
async function checkTypesAs(type, folder, manifest) {
  const file = join(folder, 'package.json')
  const written = await readFile(file, 'utf8')
  await writeFile(file, JSON.stringify({ ...manifest, type }))
  const other = ['--outDir', `as-${type}`, '--tsBuildInfoFile', `as-${type}/.tsbuildinfo`]
  await run('npx', ['tsc', ...other], { cwd: folder, env })
  await writeFile(file, written)
}

/** Some libraries' declarations do not stand `skipLibCheck: false` by themselves. */
function isOnlyIn(library, output) {
  const errors = output.split('\n').filter((line) => /^\S.*: error TS\d+:/.test(line))
  const prefix = new RegExp(`^[^(]*\\bnode_modules/${library}/`)
  return errors.length > 0 && errors.every((line) => prefix.test(line))
}

async function serve(node, main, folder) {
  const server = await startServer(node, [main], { cwd: folder, env })
  try {
    const { closed } = await checkBothWires(server.url)
    assert.equal(await server.stop(), 0, 'exit code after SIGTERM')
    return `listening after ${Math.round(server.startMs)} ms, both wires answered, exit code 0, WebSocket closed with ${await closed}`
  } catch (error) {
    throw new Error(`${error.message}\n${server.output()}`, { cause: error })
  } finally {
    server.kill()
  }
}

/** What `npm install @twinwire/core` brings: the native server has one binary for each platform and Node. */
function sizeOfInstall(folder, manifest) {
  const modules = join(folder, 'node_modules')
  const whole = sizeOf(modules)
  const own = packages
    .filter(({ name }) => manifest.dependencies[name])
    .map(({ name }) => `${name} ${size(sizeOf(join(modules, name)))}`)
  return `${size(whole)} in node_modules, of it ${own.join(', ')}`
}

/** Bytes of the files; a file with several names counts once, and a link not at all. */
function sizeOf(path, seen = new Set()) {
  let bytes = 0
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name)
    if (entry.isDirectory()) bytes += sizeOf(child, seen)
    if (!entry.isFile()) continue
    const { ino, size: length } = statSync(child)
    if (!seen.has(ino)) bytes += length
    seen.add(ino)
  }
  return bytes
}

function size(bytes) {
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
