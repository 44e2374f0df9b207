import { spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import type { Certificate } from './certificate.ts'
import { redisClient } from './redis-client.ts'
import { RedisProcess } from './redis-process.ts'
import { freePort } from './service.ts'

/** What `redis-server` takes as `--name value`; a value may be several words. */
export type RedisSettings = Readonly<Record<string, string | number>>

/** A `redis-server` of the caller's own, on a free port of 127.0.0.1, with its files in a temporary folder. */
export interface RedisServer {
  readonly port: number
  /** `rediss://` with a certificate. */
  readonly url: string
  /** A client for a test's own questions. */
  client(): Redis
  /** SIGKILL: without a word to its clients. */
  crash(): Promise<void>
  /**
   * Ends it if it runs, and starts it again on its port: empty, since it keeps nothing; or with what a snapshot of it contains.
   */
  restart(snapshot?: string): Promise<void>
  /** Copies what is in it now into an RDB file, as a backup would, and returns its path. */
  snapshot(): Promise<string>
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

/** Says whether that binary can be a node of a cluster: the packages need Redis 7.0 for one, and Valkey begins with 7.2. */
export function canBeCluster(): boolean {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  return !(Number(/v=(\d+)/.exec(stdout ?? '')?.[1]) < 7)
}

/** What makes a server speak TLS alone, also to its master. Clients need no certificate. */
export const tlsSettings = (port: number, { keyFile, certFile }: Certificate): RedisSettings => ({
  port: 0,
  'tls-port': port,
  'tls-key-file': keyFile,
  'tls-cert-file': certFile,
  'tls-ca-cert-file': certFile,
  'tls-auth-clients': 'no',
  'tls-replication': 'yes',
})

/** Tried three times, each on another port: another process may take it in between. With a certificate it speaks TLS alone. */
export async function startRedisServer(settings: RedisSettings = {}, certificate?: Certificate): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-redis-'))
  try {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort()
      const all = {
        port,
        bind: '127.0.0.1',
        dir: folder,
        save: '',
        appendonly: 'no',
        'repl-diskless-sync-delay': 0,
        ...settings,
        ...(certificate && tlsSettings(port, certificate)),
      }
      const server = new RedisProcess(
        Object.entries(all).flatMap(([name, value]) => [`--${name}`, ...String(value).split(' ')]),
      )
      try {
        await server.start()
        return toServer(server, port, folder, settings, certificate)
      } catch (error) {
        await server.stop()
        if (attempt === 3 || settings.port !== undefined) throw error
      }
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function toServer(
  server: RedisProcess,
  port: number,
  folder: string,
  { requirepass }: RedisSettings,
  certificate: Certificate | undefined,
): RedisServer {
  const url = `${certificate === undefined ? 'redis' : 'rediss'}://${requirepass === undefined ? '' : `:${requirepass}@`}127.0.0.1:${port}`
  const client = (): Redis => redisClient(url, certificate?.ca)
  const dump = join(folder, 'dump.rdb')
  let snapshots = 0
  return {
    port,
    url,
    client,
    crash: () => server.crash(),
    restart: async (snapshot) => {
      await server.crash()
      await rm(dump, { force: true })
      if (snapshot !== undefined) await copyFile(snapshot, dump)
      await server.start()
    },
    snapshot: async () => {
      const saver = client()
      try {
        await saver.call('SAVE')
      } finally {
        saver.disconnect()
      }
      snapshots += 1
      const copy = join(folder, `snapshot-${snapshots}.rdb`)
      await copyFile(dump, copy)
      return copy
    },
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
