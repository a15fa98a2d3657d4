-- admit.lua: decide a batch of admissions in turn, each all or nothing, on this server's clock. Leases
-- are given back and renewed on the way, before anything is decided.
--
-- KEYS     the windows of the batch, each once, then its slots, each once
-- ARGV[1]  JSON: [ leaseMs,
--                  windows     [requests, windowMs, requests, windowMs, ...],
--                  slots       [concurrent, concurrent, ...],
--                  releases    [[slot, lease, lease, ...], ...],
--                  renewals    [[slot, lease, lease, ...], ...],
--                  admissions  [[lease, number of windows, window, ..., slot, ...], ...] ]
--          A window or slot is named by its place among the windows or slots, from 1.
-- returns  { per window: milliseconds to its reset,
--            then per admission: 0 if admitted, or the place of the limit that denies (its windows
--            first, then its slots), and what remains of each of its windows }
--
-- A window is a string that expires with it: when it resets (epoch milliseconds, 13 digits until the
-- year 2286), then how many were counted. Both in one value make it one read and one write. It begins
-- with the first request counted in it; one that has not begun reports its whole length.
-- A slot is a sorted set of leases, scored by when each lapses; the set expires with its last lease.

local call, sub, format = redis.call, string.sub, string.format
local leaseMs, windows, slots, releases, renewals, admissions = unpack(cjson.decode(ARGV[1]))
local windowCount = #windows / 2
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- As text, since Redis takes longer to print a number than to take a string.
local lapse = format('%d', now + leaseMs)

local function hold(slot, scoresAndLeases)
  local key = KEYS[windowCount + slot]
  call('ZADD', key, unpack(scoresAndLeases))
  call('PEXPIREAT', key, lapse)
end

for _, release in ipairs(releases) do
  call('ZREM', KEYS[windowCount + release[1]], unpack(release, 2))
end

-- A lease that Redis has lost, or never had, is entered; so a renewal is also a registration.
for _, renewal in ipairs(renewals) do
  local entries = {}
  for i = 2, #renewal do
    entries[2 * i - 3], entries[2 * i - 2] = lapse, renewal[i]
  end
  hold(renewal[1], entries)
end

local resets, counts, begun, counted = {}, {}, {}, {}
if windowCount > 0 then
  local stored = call('MGET', unpack(KEYS, 1, windowCount))
  for i = 1, windowCount do
    local value = stored[i]
    local reset = value and tonumber(sub(value, 1, 13))
    if reset and reset > now then
      resets[i], counts[i], begun[i] = reset, tonumber(sub(value, 14)), true
    else
      resets[i], counts[i] = now + windows[2 * i], 0
    end
  end
end

-- Lapsed leases are looked for only where the set is full: until then they deny nobody.
local taken, granted = {}, {}
local function isFull(slot)
  local limit = slots[slot]
  if not taken[slot] then
    local key = KEYS[windowCount + slot]
    taken[slot] = call('ZCARD', key)
    if taken[slot] >= limit then
      taken[slot] = taken[slot] - call('ZREMRANGEBYSCORE', key, '-inf', now)
    end
  end
  return taken[slot] >= limit
end

local function denialOf(admission, lastWindow)
  for i = 3, lastWindow do
    local window = admission[i]
    if counts[window] >= windows[2 * window - 1] then return i - 2 end
  end
  for i = lastWindow + 1, #admission do
    if isFull(admission[i]) then return i - 2 end
  end
  return 0
end

local function count(admission, lastWindow)
  for i = 3, lastWindow do
    local window = admission[i]
    counts[window] = counts[window] + 1
    counted[window] = true
  end
  for i = lastWindow + 1, #admission do
    local slot = admission[i]
    local entries = granted[slot]
    if not entries then
      entries = {}
      granted[slot] = entries
    end
    local last = #entries
    entries[last + 1], entries[last + 2] = lapse, admission[1]
    taken[slot] = taken[slot] + 1
  end
end

local reply = {}
for i = 1, windowCount do
  reply[i] = resets[i] - now
end
local at = windowCount
for _, admission in ipairs(admissions) do
  local lastWindow = admission[2] + 2
  local denial = denialOf(admission, lastWindow)
  if denial == 0 then count(admission, lastWindow) end
  at = at + 1
  reply[at] = denial
  for i = 3, lastWindow do
    local window = admission[i]
    local remaining = windows[2 * window - 1] - counts[window]
    at = at + 1
    reply[at] = remaining > 0 and remaining or 0
  end
end

-- Written at the end, so that a key that many admissions share is written once.
for window in pairs(counted) do
  local value = format('%d%d', resets[window], counts[window])
  if begun[window] then
    call('SET', KEYS[window], value, 'KEEPTTL')
  else
    call('SET', KEYS[window], value, 'PXAT', format('%d', resets[window]))
  end
end
for slot, entries in pairs(granted) do
  hold(slot, entries)
end
return reply
