// A project of create-twinwire, as a stranger makes it: from a registry on this machine that has the packed packages. It is created, installed, type
// checked, linted, tested, built, started, called on both wires and stopped. By hand: `npm run test:create -- [options]`.
//   --all                         on every Node, with npm and pnpm, and more projects than one
//   --node 20|22|24, --with npm|pnpm  only these
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { packPackages } from '../../scripts/lib/pack-packages.mjs'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { quietEnv } from './lib/env.mjs'
import { findNodes } from './lib/nodes.mjs'
import { run, startServer } from './lib/processes.mjs'
import { startRegistry } from './lib/registry.mjs'

const pnpm = ['npx', '--yes', 'pnpm@10.34.9']
const managers = {
  npm: {
    create: ['npm', 'create', '--yes', 'twinwire@latest'],
    separator: ['--'],
    install: ['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error'],
    run: ['npm', 'run', '--silent'],
    exec: ['npx'],
  },
  pnpm: {
    create: [...pnpm, 'create', 'twinwire@latest'],
    separator: [],
    install: [...pnpm, 'install', '--reporter=append-only'],
    run: [...pnpm, '--silent', 'run'],
    exec: [...pnpm, 'exec'],
  },
}
/** The first with everything in one, for each Node and package manager; the others by `--all` only. */
const projects = [
  { flags: ['--redis'], auth: true },
  { flags: ['--database', 'none', '--auth', 'none', '--no-limits', '--no-metrics', '--no-page'], auth: false },
  { flags: ['--database', 'embedded', '--auth', 'development', '--no-limits'], auth: true },
]

/** Up to the last line, so that all is printed. */
const welcome = /Listening on (http:\S+)\n[\s\S]*Ctrl\+C/

const { values: asked } = parseArgs({
  options: { all: { type: 'boolean' }, node: { type: 'string' }, with: { type: 'string' } },
})
const started = performance.now()
const since = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`
const say = (line) => console.log(`create: ${line}`)

const [current, ...others] =
  asked.all || asked.node ? findNodes() : [{ version: process.versions.node, path: process.execPath }]
const nodes = [current, ...others].filter(({ version }) => !asked.node || version.split('.')[0] === asked.node)
const names = asked.with ? [asked.with] : asked.all ? Object.keys(managers) : ['npm']
if (nodes.length === 0) throw new Error(`--node is 20, 22 or 24, and can be had: not ${asked.node}`)
for (const name of names)
  if (!managers[name]) throw new Error(`--with is ${Object.keys(managers).join(' or ')}, not ${name}`)
const runs = nodes.flatMap((node) => names.map((name) => ({ node, name, project: projects[0] })))
if (asked.all) runs.push(...projects.slice(1).map((project) => ({ node: current, name: 'npm', project })))

const packages = packPackages()
say(`packed after ${since(started)}`)
const registry = await startRegistry(packages)
say(`${packages.length} packages published on ${registry.url} after ${since(started)}`)
let failed = 0
try {
  for (const each of runs) {
    await tryProject(each).catch((error) => {
      failed++
      console.error(`create: FAILED: ${error.message}`)
    })
  }
} finally {
  await registry.stop()
}
say(`${runs.length - failed} projects passed, ${failed} failed, in ${since(started)}`)
process.exitCode = failed === 0 ? 0 : 1

async function tryProject({ node, name, project }) {
  const from = performance.now()
  const parent = await mkdtemp(join(tmpdir(), 'twinwire-create-'))
  const cwd = join(parent, 'my-app')
  const manager = managers[name]
  const env = quietEnv({
    ...registry.env,
    CI: 'true',
    ENV: '',
    NODE_ENV: '',
    PORT: '0',
    DEVELOPMENT_ISSUER_PORT: '0',
    PATH: `${dirname(node.path)}${delimiter}${process.env.PATH}`,
    // A copy of create-twinwire that another run has left would be used.
    npm_config_dlx_cache_max_age: '0',
  })
  const times = []
  const step = async (what, [command, ...args], more = {}) => {
    const start = performance.now()
    const output = await run(command, args, { cwd, env, ...more })
    times.push(`${what} ${since(start)}`)
    return output
  }
  try {
    const fresh = { cwd: parent, env: { ...env, npm_config_cache: name === 'npm' ? join(parent, 'cache') : undefined } }
    const created = await step(
      'create',
      [...manager.create, 'my-app', ...manager.separator, '--yes', ...project.flags],
      fresh,
    )
    assert.match(created, new RegExp(`\\n {2}cd my-app\\n {2}${name} install\\n {2}${name} run dev\\n`))
    const again = run(manager.create[0], [...manager.create.slice(1), 'my-app', ...manager.separator, '--yes'], fresh)
    await assert.rejects(again, /my-app is not empty: it has .*Nothing was written/)
    assert.match(await readFile(join(cwd, 'package.json'), 'utf8'), /"@twinwire\/core": "\^\d+\.\d+\.\d+"/)

    await step('install', manager.install)
    for (const script of ['typecheck', 'lint', 'test', 'build']) await step(script, [...manager.run, script])
    if (!project.flags.includes('--no-page'))
      await step('manifest', [...manager.exec, 'twinwire', 'manifest', '--check', 'web/manifest.json'])
    assert.match(await readFile(join(cwd, '.gitignore'), 'utf8'), /^node_modules\/$/m)
    await step('doctor', [...manager.run, 'doctor'])
    if (asked.all && !project.flags.includes('none')) await step('migrate', [...manager.run, 'migrate'])
    if (asked.all) assert.match(await step('routes', [...manager.run, 'routes']), /ADD_NOTE/)
    const start = performance.now()
    await callBuilt(node, cwd, env, project)
    times.push(`start, call, stop ${since(start)}`)
    const watched = performance.now()
    await changeWatched(manager, cwd, env)
    times.push(`dev, restart ${since(watched)}`)
    say(`Node ${node.version}, ${name} ${project.flags.join(' ')}: passed in ${since(from)}: ${times.join(', ')}`)
  } catch (error) {
    say(`Node ${node.version}, ${name} ${project.flags.join(' ')}: FAILED after ${times.join(', ')}`)
    throw error
  } finally {
    await rm(parent, { recursive: true, force: true })
  }
}

async function callBuilt(node, cwd, env, project) {
  const server = await startServer(node.path, ['dist/main.js'], { cwd, env, ready: welcome })
  try {
    await callBothWires(server, project)
    if (!project.flags.includes('--no-page')) await tryPage(server.output())
    assert.equal(await server.stop(), 0, 'exit code after SIGTERM')
  } catch (error) {
    throw new Error(`${error.message}\n${server.output()}`, { cause: error })
  } finally {
    server.kill()
  }
}

async function callBothWires({ url, output }, { auth, flags }) {
  const [, token] = /^ {2}writer +(\S+)$/m.exec(output()) ?? []
  assert.equal(token !== undefined, auth, 'a token is printed if there are users')
  const headers = auth ? { authorization: `Bearer ${token}` } : {}
  if (auth) assert.equal((await fetch(`${url}/notes`, within())).status, 401)
  if (!flags.includes('--no-page')) {
    assert.match(await (await fetch(`${url}/`, within())).text(), /<script type="module" src="page.js">/)
    assert.equal((await fetch(`${url}/page.js`, within())).status, 200)
  }

  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers })
  const frames = []
  socket.on('message', (message) => {
    frames.push(JSON.parse(String(message)))
    socket.emit('frame')
  })
  await once(socket, 'open', within())
  const frame = async (matches) => {
    for (;;) {
      const found = frames.find(matches)
      if (found) return found
      await once(socket, 'frame', within())
    }
  }
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'notes' }))
  await frame(({ type }) => type === 'subscribed')
  const response = await fetch(`${url}/notes`, {
    ...within(),
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'over HTTP' }),
  })
  const note = await response.json()
  assert.equal(response.status, 201, JSON.stringify(note))
  assert.deepEqual((await frame(({ pkg_id }) => pkg_id === 100)).data, note)
  const reqId = randomUUID()
  socket.send(JSON.stringify({ pkg_id: 1, req_id: reqId, method: '', data: {} }))
  const reply = await frame(({ req_id }) => req_id === reqId)
  assert.deepEqual([reply.status_code, reply.data], [0, [note]])
}

function within() {
  return { signal: AbortSignal.timeout(30_000) }
}

/** The page adds a note, and shows it when its event arrives, with what was there before. */
async function tryPage(output) {
  if (!hasChromium()) return
  const browser = await startChromium()
  try {
    const page = await browser.newPage()
    const problems = []
    page.on('pageerror', (error) => problems.push(String(error)))
    await page.goto(/^The page: +(\S+)$/m.exec(output)?.[1] ?? '')
    await page.locator('#text').fill('in the page')
    await page.locator('button').click()
    await page.locator('li', { hasText: 'in the page' }).waitFor()
    assert.deepEqual(await page.locator('li').allTextContents(), ['in the page', 'over HTTP'])
    assert.equal(await page.locator('#status').textContent(), 'open')
    assert.deepEqual([...problems, await page.locator('#error').textContent()], [''])
  } finally {
    await browser.close()
  }
}

/** `dev` starts again when a file has changed. */
async function changeWatched({ run: [command, ...args] }, cwd, env) {
  const server = await startServer(command, [...args, 'dev'], { cwd, env, ready: welcome, group: true })
  try {
    const file = join(cwd, 'src/print-welcome.ts')
    const source = await readFile(file, 'utf8')
    await writeFile(file, source.replace('Listening on', 'Changed, listening on'))
    await server.printed(/Changed, listening on/)
  } finally {
    server.kill()
  }
}
