import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Redis } from 'ioredis'
import { freePort, type ServiceSource, serviceMissing } from './service.ts'

export interface TestRedis {
  readonly url: string
  readonly source: ServiceSource
  /** Keys of this caller begin with it: the server may be shared, so nothing else is touched and nothing is flushed. */
  readonly prefix: string
  /** Deletes the keys under the prefix; may be called again. */
  drop(): Promise<void>
  /** Deletes the keys under the prefix, and ends the server if it was started for them. */
  stop(): Promise<void>
}

/**
 * Says whether `startRedis()` can work here; if not, prints why, or throws where services are required.
 * Nothing is started: `describe.skipIf(!(await hasRedis()))('…', () => { … })`.
 */
export async function hasRedis(): Promise<boolean> {
  if (process.env.TEST_REDIS_URL || hasRedisBinary() || (await answers(localUrl))) return true
  return serviceMissing('Redis', 'set TEST_REDIS_URL, run one on 127.0.0.1:6379, or put redis-server on the PATH')
}

/**
 * The server of `TEST_REDIS_URL`, else a local one, else a `redis-server` from the PATH on a free port.
 * `own: true` always starts a server of the caller's own, for suites that kill it, pause it or flush it.
 */
export async function startRedis(options: { own?: boolean } = {}): Promise<TestRedis> {
  const server = await findServer(options.own ?? false)
  const prefix = `twinwire-test:${randomBytes(8).toString('hex')}:`
  const drop = (): Promise<void> => deleteKeys(server.url, prefix)
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    if (server.source !== 'own') await drop()
    await server.stop()
  }
  return {
    url: server.url,
    source: server.source,
    prefix,
    drop,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

interface Server {
  readonly url: string
  readonly source: ServiceSource
  stop(): Promise<void>
}

const localUrl = 'redis://127.0.0.1:6379'

async function findServer(own: boolean): Promise<Server> {
  if (!own) {
    const given = process.env.TEST_REDIS_URL
    if (given) {
      if (!(await answers(given))) throw new Error('TEST_REDIS_URL does not answer')
      return { url: given, source: 'given', stop: async () => {} }
    }
    if (await answers(localUrl)) return { url: localUrl, source: 'local', stop: async () => {} }
  }
  return startBinary()
}

/** Says whether `own: true` can work here. */
export function hasRedisBinary(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

async function startBinary(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-redis-'))
  const port = await freePort()
  const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', daemonize: 'no' }
  const child = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${log}`)))
    child.stdout.on('data', (chunk) => {
      log += chunk
      if (log.includes('Ready to accept connections')) resolve()
    })
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    source: 'own',
    stop: async () => {
      process.off('exit', kill)
      // Not SIGTERM: nothing of it is kept, and a paused server would not hear it.
      child.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function connect(url: string): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  // The failing command says it; without a listener the client prints it as well.
  redis.on('error', () => {})
  return redis
}

async function answers(url: string): Promise<boolean> {
  const redis = connect(url)
  try {
    return (await redis.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    redis.disconnect()
  }
}

async function deleteKeys(url: string, prefix: string): Promise<void> {
  const redis = connect(url)
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 500 })) {
      if (keys.length > 0) await redis.unlink(...keys)
    }
  } finally {
    redis.disconnect()
  }
}
