import { redisScript } from '@twinwire/redis'
import { openStreamLua } from './identity.ts'

/**
 * Takes a batch of publications of one process in one stream. A batch that Redis has taken already, and one that a later batch of the process
 * has overtaken, is not taken again.
 *
 * Keys: meta, history, last batch of the process; and the key of the publication, if it has one. Arguments: number of the batch, epoch if a new one
 * begins, size and ttl of the history (0: none), how long the batch and the key are remembered, the channel, the command that publishes, 1 if the
 * history is kept before a node has joined the stream; then the publications. Reply: `taken`, `known` or `overtaken`, epoch, offset of the last publication.
 */
export const publishScript: ReturnType<typeof redisScript> = redisScript(`${openStreamLua}
local number, new_epoch, size, ttl = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local channel, publish = ARGV[7], ARGV[8]

local function reply(state, position)
  local epoch, offset = string.match(position, '(%S*) (%d+)$')
  return {state, epoch, offset}
end
local last = redis.call('GET', KEYS[3])
if last then
  local last_number = tonumber(string.match(last, '^%d+'))
  if last_number == number then return reply('known', last) end
  if last_number > number then return {'overtaken', '', '0'} end
end
if KEYS[4] then
  local position = redis.call('GET', KEYS[4])
  if position then return reply('known', position) end
end

local position
if size == 0 then
  for i = 10, #ARGV do redis.call(publish, channel, '=' .. ARGV[i]) end
  position = ' 0'
else
  local epoch, offset, joined = open_stream(KEYS[1], KEYS[2], new_epoch, ttl, ARGV[9] == '1')
  for i = 10, #ARGV do
    offset = offset + 1
    local place = string.format('%.0f', offset)
    if joined then redis.call('XADD', KEYS[2], 'MAXLEN', '=', size, place .. '-0', 'p', ARGV[i]) end
    redis.call(publish, channel, '+' .. epoch .. ' ' .. place .. ' ' .. ARGV[i])
  end
  local place = string.format('%.0f', offset)
  redis.call('HSET', KEYS[1], 'o', place)
  if joined then redis.call('PEXPIRE', KEYS[2], ttl) end
  position = epoch .. ' ' .. place
end
redis.call('SET', KEYS[3], ARGV[1] .. ' ' .. position, 'PX', ARGV[5])
if KEYS[4] then redis.call('SET', KEYS[4], '0 ' .. position, 'PX', ARGV[6]) end
return reply('taken', position)`)
