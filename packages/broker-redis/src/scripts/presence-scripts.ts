import { redisScript } from '@twinwire/redis'
import { identityLua } from './identity.ts'

/** Lua: members that another server had are not those of this one: their nodes register them again when they see another epoch. */
const openMembersLua = `${identityLua}
local function open_members(new_epoch)
  local server = identity()
  local epoch = redis.call('HGET', KEYS[1], 'e')
  if not epoch or string.sub(epoch, 1, #server) ~= server then
    redis.call('DEL', KEYS[1], KEYS[2])
    epoch = server .. new_epoch
    redis.call('HSET', KEYS[1], 'e', epoch)
  end
  redis.call('PEXPIRE', KEYS[1], 172800000)
  redis.call('PEXPIRE', KEYS[2], 172800000)
  return epoch
end
local function remove(connection)
  redis.call('HDEL', KEYS[1], 'c' .. connection)
  redis.call('ZREM', KEYS[2], connection)
end`

/**
 * Keys: members, order. Arguments: epoch if a new one begins, lease, channel, the command that publishes, `join` (every member is announced) or
 * `renew` (those that Redis did not have), then connection and member of each. Reply: the epoch.
 */
export const joinScript: ReturnType<typeof redisScript> = redisScript(`${openMembersLua}
local epoch = open_members(ARGV[1])
for i = 6, #ARGV, 2 do
  local connection, member = ARGV[i], ARGV[i + 1]
  local known = redis.call('HGET', KEYS[1], 'c' .. connection)
  redis.call('HSET', KEYS[1], 'c' .. connection, ARGV[2] .. ' ' .. member)
  redis.call('ZADD', KEYS[2], 0, connection)
  if ARGV[5] == 'join' or not known then redis.call(ARGV[4], ARGV[3], '!joined ' .. member) end
end
redis.call('PEXPIRE', KEYS[2], 172800000)
return epoch`)

/** Keys: members, order. Arguments: channel, the command that publishes, connections; unknown ones are skipped. */
export const leaveScript: ReturnType<typeof redisScript> = redisScript(`${openMembersLua}
for i = 3, #ARGV do
  local known = redis.call('HGET', KEYS[1], 'c' .. ARGV[i])
  if known then
    remove(ARGV[i])
    redis.call(ARGV[2], ARGV[1], '!left ' .. string.match(known, ' (.*)$'))
  end
end
if redis.call('ZCARD', KEYS[2]) == 0 then redis.call('DEL', KEYS[1]) end
return 1`)

/**
 * Finds members of one lease. Keys: members, order. Arguments: lease, from which connection to read (`-`, or `(` and the last one), how many are read.
 * Reply: the last one that was read (empty: there are no more), then those of the lease.
 */
export const leaseMembersScript: ReturnType<typeof redisScript> = redisScript(`
local connections = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[2], '+', 'LIMIT', 0, ARGV[3])
local reply = {#connections == tonumber(ARGV[3]) and connections[#connections] or ''}
for _, connection in ipairs(connections) do
  local known = redis.call('HGET', KEYS[1], 'c' .. connection)
  if not known then
    redis.call('ZREM', KEYS[2], connection)
  elseif string.match(known, '^%S+') == ARGV[1] then
    reply[#reply + 1] = connection
  end
end
return reply`)

/** Removes members of one lease. Keys: members, order. Arguments: lease, channel, the command that publishes, connections. */
export const removeMembersScript: ReturnType<typeof redisScript> = redisScript(`${openMembersLua}
for i = 4, #ARGV do
  local lease, member = string.match(redis.call('HGET', KEYS[1], 'c' .. ARGV[i]) or '', '^(%S+) (.*)$')
  if lease == ARGV[1] then
    remove(ARGV[i])
    redis.call(ARGV[3], ARGV[2], '!left ' .. member)
  end
end
if redis.call('ZCARD', KEYS[2]) == 0 then redis.call('DEL', KEYS[1]) end
return 1`)

/** Keys: members, order. Reply: the epoch, empty if there is none. */
export const membersEpochScript: ReturnType<typeof redisScript> = redisScript(`${identityLua}
local server = identity()
local epoch = redis.call('HGET', KEYS[1], 'e')
if not epoch or string.sub(epoch, 1, #server) ~= server then return '' end
redis.call('PEXPIRE', KEYS[1], 172800000)
redis.call('PEXPIRE', KEYS[2], 172800000)
return epoch`)

/**
 * Keys: members, order. Arguments: the connection after which to read (empty: from the first), how many, the leases that live.
 * Reply: the connection of the last one (empty: there are no more), then the members.
 */
export const pageScript: ReturnType<typeof redisScript> = redisScript(`${identityLua}
local server = identity()
local epoch = redis.call('HGET', KEYS[1], 'e')
if not epoch or string.sub(epoch, 1, #server) ~= server then return {''} end
local limit, lives = tonumber(ARGV[2]), {}
for i = 3, #ARGV do lives[ARGV[i]] = true end
local reply, last, from = {''}, '', ARGV[1] == '' and '-' or '(' .. ARGV[1]
while true do
  local connections = redis.call('ZRANGEBYLEX', KEYS[2], from, '+', 'LIMIT', 0, 200)
  if #connections == 0 then return reply end
  for _, connection in ipairs(connections) do
    local known = redis.call('HGET', KEYS[1], 'c' .. connection)
    local lease, member = string.match(known or '', '^(%S+) (.*)$')
    if lease and lives[lease] then
      if #reply - 1 == limit then
        reply[1] = last
        return reply
      end
      reply[#reply + 1] = member
      last = connection
    end
  end
  from = '(' .. connections[#connections]
end`)
