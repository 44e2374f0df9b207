import { Instruments, systemClock } from '@twinwire/core/plugin'
import { createTestLogger, type LogLine } from '@twinwire/core/testing'
import {
  openRedisConnection,
  openRedisSubscriber,
  type RedisConnection,
  type RedisConnectionOptions,
  type RedisSubscriber,
  redisScript,
  resolveRedisOptions,
} from '@twinwire/redis'

/** A subscriber as a broker opens it, and what it has reported. */
export interface OpenSubscriber {
  readonly subscriber: RedisSubscriber
  /** `up`, `down: <reason>`, `resubscribed`, `<channel> <message>`, in order. */
  readonly events: readonly string[]
  readonly logs: readonly LogLine[]
  readonly instruments: Instruments
}

const defaults = { owner: 'test()', commandTimeoutMs: 5000 }

export async function openSubscriber(options: RedisConnectionOptions): Promise<OpenSubscriber> {
  const log = createTestLogger()
  const instruments = new Instruments()
  const events: string[] = []
  const subscriber = await openRedisSubscriber(
    resolveRedisOptions(options, defaults),
    { clock: systemClock, log, instruments },
    {
      up: () => void events.push('up'),
      down: (reason) => void events.push(`down: ${reason}`),
      resubscribed: () => void events.push('resubscribed'),
      message: (channel, message) => void events.push(`${channel} ${message}`),
    },
  )
  return { subscriber, events, logs: log.lines, instruments }
}

/** A connection for commands, and what it has reported. */
export interface OpenConnection {
  readonly connection: RedisConnection<'publish'>
  readonly events: readonly string[]
  readonly logs: readonly LogLine[]
  /** By a script, as a broker does: the channel is in the slot of the key. */
  publish(channel: string, message: string): Promise<unknown>
}

export async function openConnection(options: RedisConnectionOptions): Promise<OpenConnection> {
  const log = createTestLogger()
  const events: string[] = []
  const connection = await openRedisConnection(
    resolveRedisOptions(options, defaults),
    { clock: systemClock, log, instruments: new Instruments() },
    {
      operations: ['publish'],
      listener: { up: () => void events.push('up'), down: (reason) => void events.push(`down: ${reason}`) },
    },
  )
  const script = connection.isCluster ? publishToShard : publishToAll
  return {
    connection,
    events,
    logs: log.lines,
    publish: (channel, message) => connection.run('publish', script, [channel], [message]),
  }
}

const publishToAll = redisScript(`return redis.call('PUBLISH', KEYS[1], ARGV[1])`)
const publishToShard = redisScript(`return redis.call('SPUBLISH', KEYS[1], ARGV[1])`)
