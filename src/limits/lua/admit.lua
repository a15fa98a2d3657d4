-- admit.lua: decide a batch of admissions in turn, each all or nothing, on this server's clock. Leases
-- are given back and renewed on the way, before anything is decided.
--
-- KEYS     the windows of the batch, each once, then its slots, each once
-- ARGV[1]  JSON: [ leaseMs,
--                  windows     [requests, windowMs, requests, windowMs, ...],
--                  slots       [concurrent, concurrent, ...],
--                  releases    [[slot, lease, lease, ...], ...],
--                  renewals    [[slot, lease, lease, ...], ...],
--                  admissions  [[lease, number of windows, window, ..., slot, ...], ...],
--                  and only where needed, false for none:
--                  costs       [cost of each admission, ...], 1 each where absent
--                  sliding     [window, ...]: those of the windows that slide
--                  shadows     [false or [number of windows, window, ..., slot, ...], ...]: limits of
--                              each admission that refuse nothing ]
--          A window or slot is named by its place among the windows or slots, from 1. For windowMs,
--          'hour', 'day' and 'month' stand for windows that end with those of UTC.
-- returns  { per window: milliseconds to its reset,
--            then per admission: 0 if admitted, or the place of the limit that denies (its windows
--            first, then its slots), and what remains of each of its windows; behind what remains of
--            one that slides, the milliseconds until the same would pass; where admitted, for each
--            shadow limit 1 if it would have denied, else 0 }
--
-- A cost counts at most as the whole limit, so whoever waits for the reset passes.
-- A window is a string that expires with it: when it resets (epoch milliseconds, 13 digits until the
-- year 2286), then how many were counted. Both in one value make it one read and one write. It begins
-- with the first request counted in it; one that has not begun reports its whole length.
-- One that slides is a string too: when all of it is past (13 digits), then "end:count," for each tenth
-- of its length in which something was counted. A tenth counts until its end is a whole length ago, so
-- no stretch of that length ever holds more than the limit.
-- A slot is a sorted set of leases, scored by when each lapses; the set expires with its last lease.
-- A key that holds something else is not ours, and is dropped.

local call, sub, format, floor = redis.call, string.sub, string.format, math.floor
local leaseMs, windows, slots, releases, renewals, admissions, costs, sliding, shadows =
  unpack(cjson.decode(ARGV[1]))
local windowCount = #windows / 2
local time = call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
-- As text, since Redis takes longer to print a number than to take a string.
local lapse = format('%d', now + leaseMs)

local function onSet(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' then return reply end
  if not string.find(reply.err, 'WRONGTYPE', 1, true) then error(reply) end
  call('DEL', key)
  return call(command, key, ...)
end

local function hold(slot, scoresAndLeases)
  local key = KEYS[windowCount + slot]
  onSet('ZADD', key, unpack(scoresAndLeases))
  call('PEXPIREAT', key, lapse)
end

for _, release in ipairs(releases) do
  onSet('ZREM', KEYS[windowCount + release[1]], unpack(release, 2))
end

-- A lease that Redis has lost, or never had, is entered; so a renewal is also a registration.
for _, renewal in ipairs(renewals) do
  local entries = {}
  for i = 2, #renewal do
    entries[2 * i - 3], entries[2 * i - 2] = lapse, renewal[i]
  end
  hold(renewal[1], entries)
end

-- The next month's first day, counted in years that begin with March so that leap days come last.
local function endOfMonth()
  local day = floor(now / 86400000) + 719468
  local era = floor(day / 146097)
  local dayOfEra = day - era * 146097
  local year = floor((dayOfEra - floor(dayOfEra / 1460) + floor(dayOfEra / 36524)
    - floor(dayOfEra / 146096)) / 365)
  local dayOfYear = dayOfEra - (365 * year + floor(year / 4) - floor(year / 100))
  local nextMonth = floor((5 * dayOfYear + 2) / 153) + 1
  local first = day - dayOfYear + floor((153 * nextMonth + 2) / 5)
  if nextMonth == 12 then
    year = year + 1
    first = era * 146097 + 365 * year + floor(year / 4) - floor(year / 100) + floor(year / 400)
  end
  return (first - 719468) * 86400000
end

local function endOf(length)
  if length == 'month' then return endOfMonth() end
  if length == 'day' then return now - now % 86400000 + 86400000 end
  if length == 'hour' then return now - now % 3600000 + 3600000 end
  return now + length
end

local resets, counts, begun, counted, tenths = {}, {}, {}, {}, {}

-- Read the tenths of a window that slides which still count: { end, count }, the oldest first.
local function readSliding(i, value)
  local past, sum, kept = now - windows[2 * i], 0, {}
  for ending, count in string.gmatch(sub(value or '', 14), '(%d+):(%d+)') do
    if tonumber(ending) > past then
      kept[#kept + 1] = { tonumber(ending), tonumber(count) }
      sum = sum + count
    end
  end
  tenths[i], counts[i], begun[i] = kept, sum, nil
end

if windowCount > 0 then
  local stored = call('MGET', unpack(KEYS, 1, windowCount))
  for i = 1, windowCount do
    local value = stored[i]
    local reset = value and tonumber(sub(value, 1, 13))
    if reset and reset > now then
      resets[i], counts[i], begun[i] = reset, tonumber(sub(value, 14)) or 0, true
    else
      resets[i], counts[i] = endOf(windows[2 * i]), 0
    end
  end
  for _, i in ipairs(sliding or {}) do
    readSliding(i, stored[i])
  end
end

local function addToTenth(window, weight)
  local kept, length = tenths[window], math.ceil(windows[2 * window] / 10)
  local ending, newest = now - now % length + length, kept[#kept]
  -- After the clock was set back, or the length was changed, the newest may end later.
  if newest and newest[1] >= ending then
    newest[2] = newest[2] + weight
  else
    kept[#kept + 1] = { ending, weight }
  end
end

-- Milliseconds until so many tenths are past that there is room for a weight.
local function waitOf(window, weight)
  local excess = counts[window] + weight - windows[2 * window - 1]
  for _, tenth in ipairs(tenths[window]) do
    excess = excess - tenth[2]
    if excess <= 0 then return tenth[1] + windows[2 * window] - now end
  end
  return windows[2 * window]
end

-- Lapsed leases are looked for only where the set is full: until then they deny nobody.
local taken, granted, swept = {}, {}, {}
local function isFull(slot)
  local limit, key = slots[slot], KEYS[windowCount + slot]
  if not taken[slot] then taken[slot] = onSet('ZCARD', key) end
  if taken[slot] >= limit and not swept[slot] then
    swept[slot] = true
    taken[slot] = taken[slot] - call('ZREMRANGEBYSCORE', key, '-inf', now)
  end
  return taken[slot] >= limit
end

local function denialOf(admission, lastWindow, cost)
  for i = 3, lastWindow do
    local window = admission[i]
    local limit = windows[2 * window - 1]
    if counts[window] + (cost < limit and cost or limit) > limit then return i - 2 end
  end
  for i = lastWindow + 1, #admission do
    if isFull(admission[i]) then return i - 2 end
  end
  return 0
end

local function countIn(window, cost)
  local limit = windows[2 * window - 1]
  local weight = cost < limit and cost or limit
  counts[window] = counts[window] + weight
  counted[window] = true
  if tenths[window] then addToTenth(window, weight) end
end

local function enter(slot, lease)
  local entries = granted[slot]
  if not entries then
    entries = {}
    granted[slot] = entries
  end
  local last = #entries
  entries[last + 1], entries[last + 2] = lapse, lease
  taken[slot] = taken[slot] + 1
end

local function count(admission, lastWindow, cost)
  for i = 3, lastWindow do
    countIn(admission[i], cost)
  end
  for i = lastWindow + 1, #admission do
    enter(admission[i], admission[1])
  end
end

local reply = {}
for i = 1, windowCount do
  reply[i] = resets[i] - now
end
local at = windowCount

-- Everything is counted, also what would have been denied: it was admitted all the same.
local function observe(shadow, lease, cost)
  local lastWindow = shadow[1] + 1
  for i = 2, #shadow do
    local place, denies = shadow[i], false
    if i <= lastWindow then
      local limit = windows[2 * place - 1]
      denies = counts[place] + (cost < limit and cost or limit) > limit
      countIn(place, cost)
    else
      denies = isFull(place)
      enter(place, lease)
    end
    at = at + 1
    reply[at] = denies and 1 or 0
  end
end

for n, admission in ipairs(admissions) do
  local cost = costs and costs[n] or 1
  local lastWindow = admission[2] + 2
  local denial = denialOf(admission, lastWindow, cost)
  if denial == 0 then count(admission, lastWindow, cost) end
  at = at + 1
  reply[at] = denial
  for i = 3, lastWindow do
    local window = admission[i]
    local limit = windows[2 * window - 1]
    local remaining = limit - counts[window]
    at = at + 1
    reply[at] = remaining > 0 and remaining or 0
    if tenths[window] then
      at = at + 1
      reply[at] = waitOf(window, cost < limit and cost or limit)
    end
  end
  if denial == 0 and shadows and shadows[n] then observe(shadows[n], admission[1], cost) end
end

-- Written at the end, so that a key that many admissions share is written once.
for window in pairs(counted) do
  local kept = tenths[window]
  if kept then
    local past = format('%d', kept[#kept][1] + windows[2 * window])
    local texts = { past }
    for _, tenth in ipairs(kept) do
      texts[#texts + 1] = format('%d:%d,', tenth[1], tenth[2])
    end
    call('SET', KEYS[window], table.concat(texts), 'PXAT', past)
  elseif begun[window] then
    call('SET', KEYS[window], format('%d%d', resets[window], counts[window]), 'KEEPTTL')
  else
    local reset = format('%d', resets[window])
    call('SET', KEYS[window], format('%d%d', resets[window], counts[window]), 'PXAT', reset)
  end
end
for slot, entries in pairs(granted) do
  hold(slot, entries)
end
return reply
