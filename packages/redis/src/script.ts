import { createHash } from 'node:crypto'

/** A Lua script, and its hash for `EVALSHA`. */
export interface RedisScript {
  readonly lua: string
  readonly sha: string
}

/**
 * A script for `RedisConnection.run`.
 *
 * @example
 * const incrementScript = redisScript(`return redis.call('INCR', KEYS[1])`)
 */
export function redisScript(source: string): RedisScript {
  const lua = source.trim()
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}
