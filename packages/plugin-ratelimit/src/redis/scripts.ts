import { createHash } from 'node:crypto'

/** A Lua script, as `EVALSHA` names it. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

// Times are whole microseconds of the server's clock, below 2^53: what Lua counts in doubles is exact. Written with `%.0f`, since Lua
// writes large numbers with an exponent otherwise. Nothing but this clock is asked: processes may disagree about the time.
const bucketClock = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
`

// A key holds the `tat` of its bucket. More debt than a bucket holds (the clock went back, the rule became smaller) is cut to an empty
// bucket: nobody is locked out for longer than that. A key ends with its debt (PXAT: Redis 6.2), and a refusal writes nothing.
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
 * Takes from every key, or from none. Arguments for each key: what it costs and its span, in microseconds. Answers 1 or 0, the time, and
 * each key's debt: after what was taken, or as it was.
 */
export const takeScript: Script = toScript(`${buckets}
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

/** Arguments: the span of each key. Answers each key's debt. */
export const peekScript: Script = toScript(`${buckets}
local debts = {}
for i = 1, #KEYS do debts[i] = read(KEYS[i], tonumber(ARGV[i])) end
return debts
`)

/** Moves each key's debt without asking, within 0 and its span. Arguments for each key: by how much, and its span. Answers the time. */
export const adjustScript: Script = toScript(`${buckets}
for i = 1, #KEYS do
  local span = tonumber(ARGV[i * 2])
  write(KEYS[i], math.min(read(KEYS[i], span) + tonumber(ARGV[i * 2 - 1]), span))
end
return now
`)

/**
 * Gives back what one call took from each key, since another slot refused it. Arguments for each key: the cost, the \`tat\` right after it
 * was taken, and the span. What has refilled by now is not given back: had the call not come, the bucket would have been full
 * meanwhile, and nothing would have come of that time. So a bucket never holds more than it would without the call. Answers the time.
 */
export const refundScript: Script = toScript(`${buckets}
for i = 1, #KEYS do
  local back = math.min(tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]) - now)
  if back > 0 then write(KEYS[i], read(KEYS[i], tonumber(ARGV[i * 3])) - back) end
end
return now
`)

export const resetScript: Script = toScript(`
for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end
return 1
`)

// The leases of a seat are a sorted set: a member for each connection, its score the moment at which it ends, in milliseconds of the
// server's clock. The key lasts as long as the longest of them may, so that a crowd that has vanished leaves nothing.
const seats = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function keep(key, ttl)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl) end
end
`

/** Arguments: milliseconds, member, and how many may sit on each key. Answers 0, or which key (from 1) is full. */
export const acquireScript: Script = toScript(`${seats}
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

/** Arguments: milliseconds, then for each key how many members, and them. One that is not there comes back. */
export const renewScript: Script = toScript(`${seats}
local ttl, a = tonumber(ARGV[1]), 2
for i = 1, #KEYS do
  local count = tonumber(ARGV[a])
  for j = a + 1, a + count do redis.call('ZADD', KEYS[i], now + ttl, ARGV[j]) end
  keep(KEYS[i], ttl)
  a = a + count + 1
end
return 1
`)

/** Arguments: for each key how many members, and them. */
export const releaseScript: Script = toScript(`
local a = 1
for i = 1, #KEYS do
  local count = tonumber(ARGV[a])
  for j = a + 1, a + count do redis.call('ZREM', KEYS[i], ARGV[j]) end
  a = a + count + 1
end
return 1
`)

function toScript(source: string): Script {
  const lua = source.trim()
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}
