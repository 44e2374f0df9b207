import { type RedisScript, redisScript } from '@twinwire/redis'

// Times are integer microseconds of the server's clock, below 2^53, so arithmetic in Lua's doubles is exact. They are formatted with `%.0f`
// because Lua formats large numbers with an exponent. The clocks of the processes are not used: they may differ.
const bucketClock = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
`

// A key holds the `tat` of its bucket. A debt above the span (the clock was set back, or the rule became smaller) is reduced to the span, so
// that no caller is refused for longer than an empty bucket refills. A key expires with its debt (PXAT: Redis 6.2); a refusal writes nothing.
const buckets = `${bucketClock}
local function read(key, span)
  local debt = (tonumber(redis.call('GET', key) or 0) or 0) - now
  if debt < 0 then return 0 end
  if debt > span then return span end
  return debt
end
local function write(key, debt)
  if debt <= 0 then return redis.call('DEL', key) end
  redis.call('SET', key, string.format('%.0f', now + debt), 'PXAT', math.ceil((now + debt) / 1000))
end
`

/**
 * Charges every key, or none. Arguments for each key: the cost and the span, in microseconds. Returns 1 or 0, the time, and each key's debt:
 * after the charge, or unchanged when it was refused.
 */
export const chargeScript: RedisScript = redisScript(`${buckets}
local before, after, passes = {0, now}, {1, now}, true
for i = 1, #KEYS do
  local cost, span = tonumber(ARGV[i * 2 - 1]), tonumber(ARGV[i * 2])
  local debt = read(KEYS[i], span)
  before[i + 2], after[i + 2] = debt, debt + cost
  if debt + cost > span then passes = false end
end
if not passes then return before end
for i = 1, #KEYS do write(KEYS[i], after[i + 2]) end
return after
`)

/** Arguments: the span of each key. Returns each key's debt. */
export const peekScript: RedisScript = redisScript(`${buckets}
local debts = {}
for i = 1, #KEYS do debts[i] = read(KEYS[i], tonumber(ARGV[i])) end
return debts
`)

/** Changes each key's debt, limited to 0 and its span. Arguments for each key: the change and the span. Returns the time. */
export const adjustScript: RedisScript = redisScript(`${buckets}
for i = 1, #KEYS do
  local span = tonumber(ARGV[i * 2])
  write(KEYS[i], math.min(read(KEYS[i], span) + tonumber(ARGV[i * 2 - 1]), span))
end
return now
`)

/**
 * Refunds one call's charge of each key, because another hash slot refused the call. Arguments for each key: the cost, the \`tat\` directly
 * after the charge, and the span. What has refilled by now is not refunded: without the call the bucket would have been full for that time and
 * gained nothing. So a bucket never holds more than it would without the call. Returns the time.
 */
export const refundScript: RedisScript = redisScript(`${buckets}
for i = 1, #KEYS do
  local back = math.min(tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]) - now)
  if back > 0 then write(KEYS[i], read(KEYS[i], tonumber(ARGV[i * 3])) - back) end
end
return now
`)

export const resetScript: RedisScript = redisScript(`
for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end
return 1
`)

// The leases of one scope and key are a sorted set: a member for each connection, scored by the time at which its lease expires, in
// milliseconds of the server's clock. The key expires with the last of its leases.
const leases = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function keep(key, ttl)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl) end
end
`

/** Arguments: the lease time in milliseconds, the member, and the maximum of each key. Returns 0, or the number (from 1) of the key that is full. */
export const acquireScript: RedisScript = redisScript(`${leases}
for i = 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  if not redis.call('ZSCORE', KEYS[i], ARGV[2]) and redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[i + 2]) then return i end
end
local ttl = tonumber(ARGV[1])
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], now + ttl, ARGV[2])
  keep(KEYS[i], ttl)
end
return 0
`)

/** Arguments: the lease time in milliseconds, then for each key the number of its members and the members. Missing ones are added. */
export const renewScript: RedisScript = redisScript(`${leases}
local ttl, a = tonumber(ARGV[1]), 2
for i = 1, #KEYS do
  local count = tonumber(ARGV[a])
  for j = a + 1, a + count do redis.call('ZADD', KEYS[i], now + ttl, ARGV[j]) end
  keep(KEYS[i], ttl)
  a = a + count + 1
end
return 1
`)

/** Arguments: for each key the number of its members and the members. */
export const releaseScript: RedisScript = redisScript(`
local a = 1
for i = 1, #KEYS do
  local count = tonumber(ARGV[a])
  for j = a + 1, a + count do redis.call('ZREM', KEYS[i], ARGV[j]) end
  a = a + count + 1
end
return 1
`)
