import { BootError } from '@twinwire/core'
import { addressOf, RedisError, type RedisFailure, type ResolvedRedisOptions } from '@twinwire/redis'
import { owner } from './broker-options.ts'
import { nodeKeys } from './keys.ts'
import type { RedisLink } from './redis-link.ts'
import { checkScript, memoryScript } from './scripts/node-scripts.ts'

/** @throws BootError `redis.unreachable`, `redis.access_denied`, `redis.unusable`, `redis.old_version` */
export async function checkServer(link: RedisLink, options: ResolvedRedisOptions): Promise<void> {
  if (link.problem !== null) throw refuse('not_connected', link.problem, options)
  const { control } = nodeKeys(options.prefix)
  const key = `${options.prefix}{nodes}:check`
  let version: string
  try {
    version = String(await link.run('check', checkScript, [key], [control, 'PUBLISH']))
  } catch (error) {
    throw toBootError(error, options)
  }
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [neededMajor, neededMinor] = link.isCluster ? [7, 0] : [6, 2]
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return
  const needed = link.isCluster ? 'a cluster of Redis 7.0 or later, for sharded channels' : 'Redis 6.2 or later'
  throw new BootError(
    'redis.old_version',
    `${owner}: ${addressOf(options)} is Redis ${version}, and it needs ${needed}`,
    { docs: 'boot-errors#redisold_version' },
  )
}

/** The `maxmemory-policy` of Redis, if it has a limit of memory and removes keys at it; else null. */
export async function readEvictionPolicy(link: RedisLink, prefix: string): Promise<string | null> {
  const info = String(await link.once('check', memoryScript, [`${prefix}{nodes}:check`], []))
  const isLimited = /^maxmemory:[1-9]/m.test(info)
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction'
  return isLimited && policy !== 'noeviction' ? policy : null
}

/** What fails the start, in one sentence; an error that is not of Redis is returned as it is. */
export function toBootError(error: unknown, options: ResolvedRedisOptions): unknown {
  return error instanceof RedisError ? refuse(error.code, error.message, options) : error
}

const denied = /^(?:WRONGPASS|NOAUTH|NOPERM)|ACL|permission|user executing the script|invalid (?:password|username)/i

function refuse(code: RedisFailure, problem: string, options: ResolvedRedisOptions): BootError {
  const address = addressOf(options)
  if (denied.test(problem))
    return new BootError('redis.access_denied', `${owner}: Redis at ${address} refuses its user: ${problem}`, {
      docs: 'boot-errors#redisaccess_denied',
    })
  if (code === 'error')
    return new BootError('redis.unusable', `${owner}: Redis at ${address} cannot be used: ${problem}`, {
      docs: 'boot-errors#redisunusable',
    })
  return new BootError(
    'redis.unreachable',
    `${owner}: Redis at ${address} did not answer within ${options.connectTimeoutMs} ms (${problem}): start it, or correct its address`,
    { docs: 'boot-errors#redisunreachable' },
  )
}
