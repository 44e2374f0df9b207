import { setTimeout } from 'node:timers/promises'
import type { Certificate } from './certificate.ts'
import { type RedisServer, type RedisSettings, startRedisServer } from './redis-server.ts'

/** A replica of a server. */
export interface RedisReplica extends RedisServer {
  /** Resolves when it has all that its master has now. */
  caughtUp(): Promise<void>
  /** From now on it gets nothing of its master, and keeps what it has: it is a replica that lags. */
  lag(): Promise<void>
  /** It becomes a master of its own. */
  promote(): Promise<void>
}

/** `settings` of both, such as `requirepass`. Resolves when it has all that the master has. */
export async function startRedisReplica(
  master: RedisServer,
  settings: RedisSettings = {},
  certificate?: Certificate,
): Promise<RedisReplica> {
  const password = settings.requirepass === undefined ? {} : { masterauth: settings.requirepass }
  const server = await startRedisServer(
    { ...settings, ...password, replicaof: `127.0.0.1 ${master.port}` },
    certificate,
  )
  const replica: RedisReplica = {
    ...server,
    caughtUp: () => caughtUp(master, server),
    lag: () => command(server, 'REPLICAOF', '127.0.0.1', '1'),
    promote: () => command(server, 'REPLICAOF', 'NO', 'ONE'),
  }
  try {
    await replica.caughtUp()
  } catch (error) {
    await server.stop()
    throw error
  }
  return replica
}

async function command(server: RedisServer, name: string, ...args: string[]): Promise<void> {
  const client = server.client()
  try {
    await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}

/** Until `to` has everything that `from` had when this was called. */
export async function caughtUp(from: RedisServer, to: RedisServer): Promise<void> {
  const [master, replica] = [from.client(), to.client()]
  try {
    const goal = Number(/master_repl_offset:(\d+)/.exec(await master.info('replication'))?.[1])
    for (let attempt = 1; attempt <= 600; attempt += 1) {
      const info = await replica.info('replication')
      const offset = Number(/slave_repl_offset:(\d+)/.exec(info)?.[1])
      if (info.includes('master_link_status:up') && offset >= goal) return
      await setTimeout(50)
    }
    throw new Error('The replica does not catch up with its master')
  } finally {
    master.disconnect()
    replica.disconnect()
  }
}
