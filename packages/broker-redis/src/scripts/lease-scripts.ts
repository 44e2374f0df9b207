import { redisScript } from '@twinwire/redis'

/** Keys: the lease. Arguments: the node, milliseconds. Reply: 1 if the node holds it now. */
export const leaseScript: ReturnType<typeof redisScript> = redisScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`)

/** Keys: the lease. Arguments: the node. */
export const releaseScript: ReturnType<typeof redisScript> = redisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`)
