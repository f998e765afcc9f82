"""The Redis side of RateBudget. Each script is atomic, and its clock is Redis's own, so all processes agree.

Keys, in this order everywhere:
  1 slots   sorted set: one member per request granted, scored by its time in microseconds
  2 queue   hash: waiter -> "lane:number:expires" (a waiter that dies is forgotten when it expires)
  3 state   hash: epoch, held_until, people_until, turn, share, share_at, number, day_end, day_known, used_today
"""

KEEP = """
local function clock()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local function field(name) return tonumber(redis.call('HGET', KEYS[3], name) or '0') end
local function put(...) redis.call('HSET', KEYS[3], ...) end
local function text(number) return string.format('%.0f', number) end
local function new_day_if_over(now)
  local day_end = field('day_end')
  if now < day_end then return day_end end
  local day = 86400000000
  if day_end > 0 and field('day_known') == 1 then
    day_end = day_end + day * math.ceil((now - day_end + 1) / day)
  else
    day_end = (math.floor(now / day) + 1) * day
  end
  put('day_end', text(day_end), 'used_today', 0)
  return day_end
end
"""

# How much of the limit we believe in: halved by a 429 in spite of our count, +5 % for each clean window since.
SHARE = """
local function share_of_limit(now, window)
  local share = tonumber(redis.call('HGET', KEYS[3], 'share') or '100')
  if share >= 100 then return 100 end
  return math.min(100, share + 5 * math.max(0, math.floor((now - field('share_at')) / window)))
end
local function believed(limit, share)
  return math.max(math.min(limit, 10), math.floor(limit * share / 100))
end
"""

# Answers {verdict, microseconds, epoch, id}: "go", "wait" (ask again then), "spent" (the day), "seed"
# (unknown epoch).
ACQUIRE = (
    KEEP
    + SHARE
    + """
local lane, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local reserve, opening, day_limit = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local me, epoch, nap, people_for = ARGV[7], ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
local now = clock()

local known = redis.call('HGET', KEYS[3], 'epoch')
if not known then
  known = ARGV[11]
  put('epoch', known)
end
if known ~= epoch then return {'seed', '0', known} end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - 3 * window))
local day_end = new_day_if_over(now)
if field('used_today') >= day_limit then
  redis.call('HDEL', KEYS[2], me)
  return {'spent', text(day_end - now), known}
end

-- Who stands before me: higher lanes, and earlier comers of my own.
local mine = redis.call('HGET', KEYS[2], me)
local number = mine and tonumber(string.match(mine, '^%d+:(%d+):')) or redis.call('HINCRBY', KEYS[3], 'number', 1)
local ahead, ahead_paced = 0, 0
local everyone = redis.call('HGETALL', KEYS[2])
for i = 1, #everyone, 2 do
  local l, n, expires = string.match(everyone[i + 1], '^(%d+):(%d+):(%d+)$')
  l, n, expires = tonumber(l), tonumber(n), tonumber(expires)
  if expires < now then
    redis.call('HDEL', KEYS[2], everyone[i])
  elseif everyone[i] ~= me and (l < lane or (l == lane and n < number)) then
    ahead = ahead + 1
    if l > 0 then ahead_paced = ahead_paced + 1 end
  end
end

limit = believed(limit, share_of_limit(now, window))
local room = limit
if lane == 0 then
  put('people_until', text(now + people_for))
elseif field('people_until') > now then
  room = math.max(1, limit - reserve)
end

-- A slot is free again when the oldest grant has left the window.
local since = '(' .. text(now - window)
local taken = redis.call('ZCOUNT', KEYS[1], since, '+inf')
local function frees(nth)
  local row = redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf', 'WITHSCORES', 'LIMIT', nth - 1, 1)
  return row[2] and math.max(1, tonumber(row[2]) + window - now) or 1000
end
local wait = 0
local short = taken + ahead + 1 - room
if short > 0 then wait = frees(math.min(short, taken)) end
wait = math.max(wait, field('held_until') - now)

-- Whoever is no person may open with a burst. Then they take one slot a gap, and spread what is left until the
-- oldest slot comes back: so the window is not full for long, and a slot falls free every moment for a person.
local turn = now
if lane > 0 and taken + ahead >= opening then
  local least = window / limit
  local gap = math.max(least, taken < room and frees(1) / (room - taken + 1) or 0)
  turn = math.max(field('turn') + gap, now - 2 * least)
  wait = math.max(wait, turn + gap * ahead_paced - now)
end

if wait > 0 then
  local asleep = math.min(wait, nap)
  redis.call('HSET', KEYS[2], me, string.format('%d:%d:%.0f', lane, number, now + asleep + 500000))
  redis.call('PEXPIRE', KEYS[2], 60000)
  return {'wait', text(wait), known}
end

if lane > 0 then put('turn', text(turn)) end
local id = text(now) .. '-' .. me
redis.call('ZADD', KEYS[1], text(now), id)
redis.call('HDEL', KEYS[2], me)
redis.call('HINCRBY', KEYS[3], 'used_today', 1)
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000) * 4)
redis.call('EXPIRE', KEYS[3], 172800)
return {'go', '0', known, id}
"""
)

# The answer is there, so GHL has counted the request by now: its slot counts from here.
SETTLE = (
    KEEP
    + """
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then redis.call('ZADD', KEYS[1], text(clock()), ARGV[1]) end
"""
)

# A Redis that forgot everything is told what this process sent lately: ARGV = ages in microseconds.
SEED = (
    KEEP
    + """
local now = clock()
for i = 3, #ARGV do
  local at = now - tonumber(ARGV[i])
  redis.call('ZADD', KEYS[1], text(at), text(at) .. '-' .. ARGV[1] .. '-' .. i)
end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]))
"""
)

# ARGV: server's use of its window or -1, span of ours to compare with, day used or -1, microseconds to the
# reset or -1, name
OBSERVE = (
    KEEP
    + """
local now = clock()
local used, span, day_used, reset = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if reset >= 0 then
  local before = new_day_if_over(now)
  if field('day_known') == 0 or now + reset - before > 3600000000 then
    put('used_today', text(math.max(0, day_used)))  -- GHL's day is another than we thought: its count is the count
  end
  put('day_end', text(now + reset), 'day_known', 1)
else
  new_day_if_over(now)
end
if day_used > field('used_today') then put('used_today', text(day_used)) end
local ours = redis.call('ZCOUNT', KEYS[1], text(now - span), '+inf')
local others = used - ours
if others >= 2 then
  for i = 1, others do redis.call('ZADD', KEYS[1], text(now), text(now) .. '-others-' .. ARGV[5] .. i) end
  redis.call('PEXPIRE', KEYS[1], math.ceil(span / 1000) * 4)
end
return others
"""
)

# ARGV: microseconds of peace, window, 1 when GHL refused although by our count there was room
PENALISE = (
    KEEP
    + SHARE
    + """
local now, window = clock(), tonumber(ARGV[2])
local till = now + tonumber(ARGV[1])
if till > field('held_until') then put('held_until', text(till)) end
if ARGV[3] == '1' then
  local share = share_of_limit(now, window)
  if now - field('halved_at') >= window then  -- once a window: the many that were on their way say the same
    share = math.max(1, share / 2)
    put('halved_at', text(now))
  end
  put('share', share, 'share_at', text(math.max(now, till)))
end
redis.call('EXPIRE', KEYS[3], 172800)
"""
)

# ARGV: window, limit. Answers {used in the window, waiting, held for, used today, microseconds to the day's end,
# limit we believe in}
SNAPSHOT = (
    KEEP
    + SHARE
    + """
local now = clock()
local day_end = new_day_if_over(now)
return {
  text(redis.call('ZCOUNT', KEYS[1], '(' .. text(now - tonumber(ARGV[1])), '+inf')),
  text(redis.call('HLEN', KEYS[2])), text(math.max(0, field('held_until') - now)),
  text(field('used_today')), text(day_end - now),
  text(believed(tonumber(ARGV[2]), share_of_limit(now, tonumber(ARGV[1])))),
}
"""
)
