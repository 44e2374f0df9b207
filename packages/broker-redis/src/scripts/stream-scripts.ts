import { redisScript } from '@twinwire/redis'
import { openStreamLua } from './identity.ts'

/**
 * Positions of streams, which are joined from now on. Keys: meta and history of each. Arguments: what begins a new epoch, then the ttl of each.
 * Reply: epoch and offset of each.
 */
export const positionsScript: ReturnType<typeof redisScript> = redisScript(`${openStreamLua}
local reply = {}
for i = 1, #KEYS, 2 do
  local epoch, offset = open_stream(KEYS[i], KEYS[i + 1], ARGV[1] .. i, tonumber(ARGV[(i + 1) / 2 + 1]), true)
  reply[#reply + 1] = epoch
  reply[#reply + 1] = string.format('%.0f', offset)
end
return reply`)

/**
 * Part of a stream. Keys: meta, history. Arguments: epoch if a new one begins, ttl, the epoch and the offset after which to read, how many.
 * Reply: epoch, offset of the last publication; then, if the epoch is the same one or none was given, the offset and the text of each.
 */
export const readScript: ReturnType<typeof redisScript> = redisScript(`${openStreamLua}
local epoch, offset = open_stream(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), true)
local reply = {epoch, string.format('%.0f', offset)}
if ARGV[3] ~= '' and ARGV[3] ~= epoch or tonumber(ARGV[4]) >= offset then return reply end
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[4] .. '-0', '+', 'COUNT', ARGV[5])) do
  reply[#reply + 1] = string.match(entry[1], '^%d+')
  reply[#reply + 1] = entry[2][2]
end
return reply`)

/** A message on channels of a cluster, by which nodes see that they receive them. Keys: one of the slot. Arguments: the channels. */
export const heartbeatScript: ReturnType<typeof redisScript> = redisScript(`
for _, channel in ipairs(ARGV) do redis.call('SPUBLISH', channel, '~') end
return 1`)
