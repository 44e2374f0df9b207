import { setTimeout } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { redisClient } from './redis-client.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'
import { freePort } from './service.ts'

/** A Redis Cluster of the caller's own. */
export interface RedisCluster {
  /** Masters, each with a share of the slots. */
  readonly nodes: readonly RedisServer[]
  readonly urls: readonly string[]
  /** Moves one slot to another node, as an operator's resharding ends. */
  moveSlot(slot: number, to: RedisServer): Promise<void>
  stop(): Promise<void>
}

const slots = 16_384

/** Set up by commands alone: `redis-cli` need not be installed. */
export async function startRedisCluster(size = 3): Promise<RedisCluster> {
  const nodes: RedisServer[] = []
  const clients: Redis[] = []
  const stop = async (): Promise<void> => {
    for (const client of clients) client.disconnect()
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    const busPorts: number[] = []
    for (let i = 0; i < size; i += 1) {
      // By default the bus has the port plus 10,000, which may be past the last one there is.
      const busPort = await freePort()
      busPorts.push(busPort)
      nodes.push(await startRedisServer({ ...nodeSettings, 'cluster-port': busPort }))
    }
    clients.push(...nodes.map((node) => redisClient(toUrl(node))))
    await Promise.all(clients.map((client, i) => client.call('CLUSTER', 'ADDSLOTSRANGE', ...rangeOf(i, size))))
    for (const [i, node] of nodes.entries()) {
      if (i > 0) await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', node.port, busPorts[i] ?? 0)
    }
    await Promise.all(clients.map((client) => agreed(client, size)))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    nodes,
    urls: nodes.map(toUrl),
    stop,
    async moveSlot(slot, to) {
      const ids = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'MYID'))))
      const target = nodes.indexOf(to)
      const id = ids[target] ?? ''
      // One that was importing it makes its claim the latest: without that, news on their way between the nodes may give it back.
      await clients[target]?.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids.find((_, i) => i !== target) ?? '')
      await clients[target]?.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)
      for (const [i, client] of clients.entries()) if (i !== target) await giveUp(client, slot, id)
    },
  }
}

/** Of a slot with keys a node says so: a client of the test may have written one in the meantime, which the new owner does not get. */
async function giveUp(client: Redis, slot: number, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const keys = (await client.call('CLUSTER', 'GETKEYSINSLOT', slot, 1000)) as string[]
      for (const key of keys) await client.del(key)
      await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to)
      return
    } catch (error) {
      if (attempt === 50) throw error
    }
  }
}

const nodeSettings = {
  'cluster-enabled': 'yes',
  'cluster-node-timeout': 5000,
  // When a node is down, only its own slots fail.
  'cluster-require-full-coverage': 'no',
}

const toUrl = ({ port }: RedisServer): string => `redis://127.0.0.1:${port}`

function rangeOf(index: number, size: number): [number, number] {
  return [Math.floor((index * slots) / size), Math.floor(((index + 1) * slots) / size) - 1]
}

/** Resolves when this node knows every other, and who has which slots. */
async function agreed(client: Redis, size: number): Promise<void> {
  for (let attempt = 1; attempt <= 300; attempt += 1) {
    const info = String(await client.call('CLUSTER', 'INFO'))
    if (
      info.includes('cluster_state:ok') &&
      info.includes(`cluster_known_nodes:${size}`) &&
      info.includes(`cluster_slots_ok:${slots}`)
    )
      return
    await setTimeout(100)
  }
  throw new Error('The nodes of the cluster do not agree')
}
