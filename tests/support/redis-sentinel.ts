import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Certificate } from './certificate.ts'
import { redisClient } from './redis-client.ts'
import { RedisProcess } from './redis-process.ts'
import { caughtUp, type RedisReplica, startRedisReplica } from './redis-replica.ts'
import { type RedisServer, startRedisServer, tlsSettings } from './redis-server.ts'
import { freePort } from './service.ts'

/** A Sentinel that watches two servers: a master and its replica. */
export interface RedisSentinel {
  /** How it calls the master. */
  readonly name: string
  readonly url: string
  /** The first master. */
  readonly first: RedisServer
  /** The first replica. */
  readonly second: RedisReplica
  /** Which of the two is master now, as the Sentinel says. */
  master(): Promise<RedisServer>
  /** An operator's failover, when the replica has all writes. Resolves when the Sentinel names the other one. */
  failover(): Promise<void>
  /** SIGKILL of the Sentinel alone. */
  crash(): Promise<void>
  restart(): Promise<void>
  freeze(): void
  thaw(): void
  /** Ends all three; may be called again. */
  stop(): Promise<void>
}

export interface RedisSentinelSettings {
  /** Of both servers. */
  readonly password?: string
  /** Of the Sentinel. */
  readonly sentinelPassword?: string
  /** All three speak TLS alone. */
  readonly certificate?: Certificate
}

const name = 'mymaster'

/** It takes a master for down after half a second, and decides alone. */
export async function startRedisSentinel(settings: RedisSentinelSettings = {}): Promise<RedisSentinel> {
  const { password, sentinelPassword, certificate } = settings
  const serverSettings = password === undefined ? {} : { requirepass: password, masterauth: password }
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  try {
    const first = await startRedisServer(serverSettings, certificate)
    stops.push(() => first.stop())
    const second = await startRedisReplica(first, serverSettings, certificate)
    stops.push(() => second.stop())
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-sentinel-'))
    stops.push(() => rm(folder, { recursive: true, force: true }))
    const port = await freePort()
    const conf = join(folder, 'sentinel.conf')
    await writeFile(conf, toConf(port, folder, first, settings))
    const sentinel = new RedisProcess([conf, '--sentinel'], '+monitor master')
    stops.push(() => sentinel.stop())
    await sentinel.start()
    const url = `${certificate === undefined ? 'redis' : 'rediss'}://${sentinelPassword === undefined ? '' : `:${sentinelPassword}@`}127.0.0.1:${port}`
    const ask = (...args: string[]): Promise<readonly unknown[]> => askSentinel(url, certificate?.ca, args)
    await knowsReplica(ask, second.port)
    const master = async (): Promise<RedisServer> =>
      (await ask('GET-MASTER-ADDR-BY-NAME', name))[1] === String(second.port) ? second : first
    return {
      name,
      url,
      first,
      second,
      master,
      failover: async () => {
        const before = await master()
        await caughtUp(before, before === first ? second : first)
        await ask('FAILOVER', name)
        await until(async () => (await master()) !== before, 'The Sentinel does not fail over')
      },
      crash: () => sentinel.crash(),
      restart: async () => {
        await sentinel.crash()
        await sentinel.start()
      },
      freeze: () => sentinel.freeze(),
      thaw: () => sentinel.thaw(),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function toConf(port: number, folder: string, first: RedisServer, settings: RedisSentinelSettings): string {
  const { password, sentinelPassword, certificate } = settings
  const lines = [
    ...(certificate === undefined
      ? [`port ${port}`]
      : Object.entries(tlsSettings(port, certificate)).map(([key, value]) => `${key} ${value}`)),
    'bind 127.0.0.1',
    `dir ${folder}`,
    ...(sentinelPassword === undefined ? [] : [`requirepass ${sentinelPassword}`]),
    `sentinel monitor ${name} 127.0.0.1 ${first.port} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 3000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** Without a replica that it knows it would have nothing to promote. */
async function knowsReplica(ask: Ask, port: number): Promise<void> {
  await until(async () => {
    const replicas = await ask('REPLICAS', name)
    return replicas.some(
      (replica) =>
        Array.isArray(replica) &&
        replica.includes(String(port)) &&
        replica[replica.indexOf('master-link-status') + 1] === 'ok',
    )
  }, 'The Sentinel does not find the replica')
}

type Ask = (...args: string[]) => Promise<readonly unknown[]>

async function askSentinel(url: string, ca: string | undefined, args: readonly string[]): Promise<readonly unknown[]> {
  const client = redisClient(url, ca)
  try {
    const reply = await client.call('SENTINEL', ...args)
    return Array.isArray(reply) ? reply : [reply]
  } finally {
    client.disconnect()
  }
}

async function until(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (let attempt = 1; attempt <= 600; attempt += 1) {
    if (await isSo()) return
    await setTimeout(50)
  }
  throw new Error(otherwise)
}
