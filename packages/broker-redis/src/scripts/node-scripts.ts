import { redisScript } from '@twinwire/redis'
import { identityLua, timeLua } from './identity.ts'

/** Lua: the epoch of leases and control messages. What an older server had is kept: control messages end by their time alone. */
const openNodesLua = `${identityLua}${timeLua}
local function open_nodes(meta, new_epoch)
  local server = identity()
  local known = redis.call('HMGET', meta, 's', 'e')
  if known[1] == server and known[2] then return known[2] end
  redis.call('HSET', meta, 's', server, 'e', new_epoch)
  return new_epoch
end`

/**
 * What a node does all the time: renews its lease, reads the control messages that are kept, writes to itself, and looks for leases that have
 * expired. Keys: meta, leases, infos, expired, kept, kept-ids, kept-until. Arguments: epoch if a new one begins, lease, its length, the node,
 * the last control message that it has read, how many it reads, channel and text for itself (empty: none), the command that publishes.
 *
 * Reply: epoch, server time, 1 if the lease had not expired, number of leases, a lease that has expired and whose members this node removes now
 * (empty: none); then place and text of control messages.
 */
export const beatScript: ReturnType<typeof redisScript> = redisScript(`${openNodesLua}
local meta, leases, infos, expired, kept, kept_ids, kept_until = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local lease = ARGV[2]
local now = now_ms()
local epoch = open_nodes(meta, ARGV[1])
local until_ms = redis.call('ZSCORE', leases, lease)
local is_known = until_ms and tonumber(until_ms) >= now
if is_known or ARGV[9] == 'new' then
  redis.call('ZADD', leases, now + ARGV[3], lease)
  redis.call('HSET', infos, lease, ARGV[4])
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', '(' .. now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', leases, gone)
  redis.call('HDEL', infos, gone)
  redis.call('ZADD', expired, 'NX', now, gone)
end
local mine = redis.call('ZRANGEBYSCORE', expired, '-inf', now, 'LIMIT', 0, 1)[1] or ''
if mine ~= '' then redis.call('ZADD', expired, now + 15000, mine) end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', kept_until, '-inf', '(' .. now, 'LIMIT', 0, 100)) do
  local place = redis.call('HGET', kept_ids, id)
  if place then redis.call('XDEL', kept, place) end
  redis.call('HDEL', kept_ids, id)
  redis.call('ZREM', kept_until, id)
end
if ARGV[7] ~= '' then redis.call(ARGV[8], ARGV[7], ARGV[10]) end
for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], 172800000) end
local reply = {epoch, string.format('%.0f', now), is_known and 1 or 0, redis.call('ZCARD', leases), mine}
for _, entry in ipairs(redis.call('XRANGE', kept, '(' .. ARGV[5], '+', 'COUNT', ARGV[6])) do
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = entry[2][2]
end
return reply`)

/**
 * Keys: meta, kept, kept-ids, kept-until. Arguments: epoch if a new one begins, id, message, how long it is kept (0: not), the time until which it is
 * kept if it was before (else empty), channel (empty: it is not sent), the command that publishes.
 */
export const controlScript: ReturnType<typeof redisScript> = redisScript(`${openNodesLua}
open_nodes(KEYS[1], ARGV[1])
local id, now = ARGV[2], now_ms()
local keep_until = ARGV[5] ~= '' and tonumber(ARGV[5]) or now + ARGV[4]
local text = id .. ' ' .. string.format('%.0f', keep_until) .. ' ' .. ARGV[3]
if keep_until > now and redis.call('HEXISTS', KEYS[3], id) == 0 then
  local place = redis.call('XADD', KEYS[2], '*', 'm', text)
  redis.call('HSET', KEYS[3], id, place)
  redis.call('ZADD', KEYS[4], keep_until, id)
  local left = keep_until - now + 86400000
  for i = 2, 4 do
    if redis.call('PTTL', KEYS[i]) < left then redis.call('PEXPIRE', KEYS[i], string.format('%.0f', left)) end
  end
  redis.call('PEXPIRE', KEYS[1], 172800000)
end
if ARGV[6] ~= '' then redis.call(ARGV[7], ARGV[6], text) end
return 1`)

/** Keys: leases, infos. Reply: lease and node of each. */
export const nodesScript: ReturnType<typeof redisScript> = redisScript(`${timeLua}
local reply = {}
for _, lease in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now_ms(), '+inf')) do
  reply[#reply + 1] = lease
  reply[#reply + 1] = redis.call('HGET', KEYS[2], lease) or ''
end
return reply`)

/** Keys: topics of a lease. Arguments: topics to add; without any, they are kept for two days more. */
export const addTopicsScript: ReturnType<typeof redisScript> = redisScript(`
for _, topic in ipairs(ARGV) do redis.call('SADD', KEYS[1], topic) end
redis.call('PEXPIRE', KEYS[1], 172800000)
return 1`)

/** Keys: topics of a lease. */
export const topicsScript: ReturnType<typeof redisScript> = redisScript(`return redis.call('SMEMBERS', KEYS[1])`)

/** The members of a lease are removed. Keys: leases, infos, expired, topics of the lease. Arguments: lease. */
export const endLeaseScript: ReturnType<typeof redisScript> = redisScript(`
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[4])
return 1`)

/** Keys: one that is not used. Reply: what Redis says of its memory. */
export const memoryScript: ReturnType<typeof redisScript> = redisScript(`return redis.call('INFO', 'memory')`)

/** Runs each command that the others use, so that a user without a permission fails the start. Keys: one of its own. Arguments: a channel. */
export const checkScript: ReturnType<typeof redisScript> = redisScript(`
local info = redis.call('INFO', 'server')
redis.call('INFO', 'replication')
redis.call('TIME')
local key = KEYS[1]
redis.call('DEL', key)
redis.call('HSET', key, 'a', '1')
redis.call('HMGET', key, 'a')
redis.call('HGET', key, 'a')
redis.call('HEXISTS', key, 'a')
redis.call('HDEL', key, 'a')
redis.call('ZADD', key, 0, 'a')
redis.call('ZSCORE', key, 'a')
redis.call('ZCARD', key)
redis.call('ZRANGE', key, 0, -1)
redis.call('ZRANGEBYLEX', key, '-', '+')
redis.call('ZRANGEBYSCORE', key, 0, 1)
redis.call('ZREM', key, 'a')
redis.call('XADD', key, '1-0', 'a', 'b')
redis.call('XRANGE', key, '-', '+')
redis.call('XDEL', key, '1-0')
redis.call('DEL', key)
redis.call('SADD', key, 'a')
redis.call('SMEMBERS', key)
redis.call('SET', key, '1', 'PX', 1000)
redis.call('GET', key)
redis.call('PEXPIRE', key, 1000)
redis.call('PTTL', key)
redis.call('DEL', key)
redis.call(ARGV[2], ARGV[1], '~')
return string.match(info, 'redis_version:([%d.]+)')`)
