import { createHash } from 'node:crypto'

/** A Lua script, as `EVALSHA` names it. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

// Times are whole microseconds of the server's clock, plus a fraction in units of 1/points of a microsecond: both are whole numbers
// below 2^53, so that what Lua counts in doubles is exact. `%.0f`, since Lua writes large numbers with an exponent otherwise.
const clock = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
`

// A key holds the theoretical arrival time (TAT) of GCRA: '<us>' or '<us>:<fraction>'. What lies in the past is a full bucket, and what
// lies further ahead than a bucket holds (the clock went back, the rule became smaller) is an empty one: nobody is locked out for longer.
const readTat = `
local function read(key, tolUs, tolFrac, points)
  local stored = redis.call('GET', key)
  if not stored then return now, 0 end
  local us, frac = string.match(stored, '^(%d+):?(%d*)$')
  us, frac = tonumber(us), tonumber(frac) or 0
  if not us or us < now then return now, 0 end
  if frac >= points then frac = 0 end
  local ahead = us - now
  if ahead > tolUs or (ahead == tolUs and frac > tolFrac) then return now + tolUs, tolFrac end
  return us, frac
end
`

const writeTat = `
local function write(key, us, frac)
  if us < now or (us == now and frac == 0) then redis.call('DEL', key) return end
  local value = string.format('%.0f', us)
  if frac > 0 then value = value .. ':' .. string.format('%.0f', frac) end
  redis.call('SET', key, value, 'PX', math.ceil((us - now) / 1000) + 1)
end
`

/**
 * Takes from every key or from none. Arguments for each key: cost (us, fraction), tolerance (us, fraction), points. Answers 1 or 0, the
 * time, and for each key how far its TAT lies ahead (us, fraction): after what was taken, or as it was.
 */
export const takeScript: Script = toScript(`${clock}${readTat}${writeTat}
local passes = 1
local before, after = {}, {}
for i = 1, #KEYS do
  local a = i * 5 - 4
  local costUs, costFrac, tolUs, tolFrac, points =
    tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local us, frac = read(KEYS[i], tolUs, tolFrac, points)
  before[i * 2 - 1], before[i * 2] = us - now, frac
  us, frac = us + costUs, frac + costFrac
  if frac >= points then us, frac = us + 1, frac - points end
  local ahead = us - now
  if ahead > tolUs or (ahead == tolUs and frac > tolFrac) then passes = 0 end
  after[i * 2 - 1], after[i * 2] = ahead, frac
end
if passes == 0 then return {0, now, unpack(before)} end
for i = 1, #KEYS do write(KEYS[i], now + after[i * 2 - 1], after[i * 2]) end
return {1, now, unpack(after)}
`)

/** Arguments for each key: tolerance (us, fraction), points. Answers the time, and how far each TAT lies ahead (us, fraction). */
export const peekScript: Script = toScript(`${clock}${readTat}
local result = {now}
for i = 1, #KEYS do
  local a = i * 3 - 2
  local us, frac = read(KEYS[i], tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]))
  result[i * 2], result[i * 2 + 1] = us - now, frac
end
return result
`)

/**
 * Gives back what a call took from each key, since another slot refused it. Arguments for each key: cost (us, fraction), the TAT after
 * it was taken (us, fraction), tolerance (us, fraction), points. What would have refilled by now in any case is not given back: had the
 * call not come, the bucket would have been full for that long.
 */
export const refundScript: Script = toScript(`${clock}${readTat}${writeTat}
for i = 1, #KEYS do
  local a = i * 7 - 6
  local costUs, costFrac, tatUs, tatFrac = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local points = tonumber(ARGV[a + 6])
  local leftUs, leftFrac = tatUs - now, tatFrac
  if leftUs < costUs or (leftUs == costUs and leftFrac < costFrac) then costUs, costFrac = leftUs, leftFrac end
  if costUs >= 0 then
    local us, frac = read(KEYS[i], tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]), points)
    us, frac = us - costUs, frac - costFrac
    if frac < 0 then us, frac = us - 1, frac + points end
    write(KEYS[i], us, frac)
  end
end
return 1
`)

// A subject's leases are a sorted set: a member for each connection, its score the moment at which it ends, in milliseconds of the
// server's clock. All leases are of one length, so the one that was set last is the last to end, and the key ends with it.
const leaseClock = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

/** Arguments: length of a lease in ms, member, most members of each key. Answers 0, or which key (from 1) is full. */
export const acquireScript: Script = toScript(`${leaseClock}
for i = 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  if not redis.call('ZSCORE', KEYS[i], ARGV[2]) and redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[2 + i]) then return i end
end
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], now + ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
end
return 0
`)

/** Arguments: length of a lease in ms, then for each key how many members, and them. A lease that was lost comes back. */
export const renewScript: Script = toScript(`${leaseClock}
local a = 2
for i = 1, #KEYS do
  local count = tonumber(ARGV[a])
  for j = a + 1, a + count do redis.call('ZADD', KEYS[i], now + ARGV[1], ARGV[j]) end
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
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

/** Answers how many leases of each key have not ended. */
export const countScript: Script = toScript(`${leaseClock}
local result = {}
for i = 1, #KEYS do result[i] = redis.call('ZCOUNT', KEYS[i], '(' .. now, '+inf') end
return result
`)

function toScript(source: string): Script {
  const lua = source.trim()
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}
