import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { freePort } from './service.ts'

/** What `redis-server` takes as `--name value`. */
export type RedisSettings = Readonly<Record<string, string | number>>

/** A `redis-server` of the caller's own, on a free port of 127.0.0.1, with its files in a temporary folder. */
export interface RedisServer {
  readonly port: number
  /** SIGKILL: without a word to its clients. */
  crash(): Promise<void>
  /** Starts it again on its port; with nothing in it, since it keeps nothing. */
  restart(): Promise<void>
  /** It accepts connections and never answers, as behind a network that drops packets. */
  freeze(): void
  thaw(): void
  /** Ends it and removes its files; may be called again. */
  stop(): Promise<void>
}

/** Says whether there is a binary on the PATH. */
export function hasRedisBinary(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

/** Tried three times, each on another port: another process may take it in between. */
export async function startRedisServer(settings: RedisSettings = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-redis-'))
  try {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort()
      const all = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', ...settings }
      try {
        return toServer(port, folder, all, await launch(all))
      } catch (error) {
        if (attempt === 3 || settings.port !== undefined) throw error
      }
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function toServer(port: number, folder: string, settings: RedisSettings, first: ChildProcess): RedisServer {
  let child: ChildProcess | null = first
  const kill = (): void => void child?.kill('SIGKILL')
  process.once('exit', kill)
  const crash = async (): Promise<void> => {
    if (child === null) return
    const gone = once(child, 'exit')
    // Not SIGTERM: nothing of it is kept, and a frozen server would not hear it.
    child.kill('SIGKILL')
    await gone
    child = null
  }
  return {
    port,
    crash,
    restart: async () => {
      await crash()
      child = await launch(settings)
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    stop: async () => {
      process.off('exit', kill)
      await crash()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when it takes connections. */
async function launch(settings: RedisSettings): Promise<ChildProcess> {
  const child = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${log}`)))
    child.stdout.on('data', (chunk) => {
      log += chunk
      // A replica is ready before its first synchronisation, and says so in the same words.
      if (log.includes('Ready to accept connections')) resolve()
    })
  })
  // Or else a full pipe would stop it.
  child.stdout.removeAllListeners('data').resume()
  child.stderr.resume()
  return child
}
