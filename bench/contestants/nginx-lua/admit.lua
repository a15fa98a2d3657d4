-- admit.lua (runs in Redis): decide one request, all or nothing, on this server's clock, and give
-- back the slots of requests that have ended.
--
-- KEYS     user window, organization window, user slots, organization slots,
--          then per release: user slots, organization slots
-- ARGV     requests and milliseconds of the user's window, the same of the organization's,
--          slots of the user, slots of the organization, lease milliseconds, lease,
--          then per release: lease
-- returns  status "DENIED REMAINING RESET REMAINING RESET": 0 or the place of the limit that denies;
--          then of the user's window and the organization's. One line, so that one read takes it.
--
-- A window is a string: when it resets (13 digits), then how many were counted in it.

local call, sub, format = redis.call, string.sub, string.format
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for i = 9, #ARGV do
  call('ZREM', KEYS[2 * i - 13], ARGV[i])
  call('ZREM', KEYS[2 * i - 12], ARGV[i])
end
if ARGV[8] == '' then return redis.status_reply('0 0 0 0 0') end

local stored = call('MGET', KEYS[1], KEYS[2])
local function read(value, windowMs)
  local reset = value and tonumber(sub(value, 1, 13))
  if reset and reset > now then return reset, tonumber(sub(value, 14)), true end
  return now + windowMs, 0, false
end
local userLimit, organizationLimit = tonumber(ARGV[1]), tonumber(ARGV[3])
local userReset, userCount, userBegun = read(stored[1], tonumber(ARGV[2]))
local organizationReset, organizationCount, organizationBegun = read(stored[2], tonumber(ARGV[4]))

local function isFull(key, limit)
  local taken = call('ZCARD', key)
  if taken >= limit then taken = taken - call('ZREMRANGEBYSCORE', key, '-inf', now) end
  return taken >= limit
end

local denied = 0
if userCount >= userLimit then denied = 1
elseif organizationCount >= organizationLimit then denied = 2
elseif isFull(KEYS[3], tonumber(ARGV[5])) then denied = 3
elseif isFull(KEYS[4], tonumber(ARGV[6])) then denied = 4
end

local function write(key, reset, count, begun)
  local value = format('%d%d', reset, count)
  if begun then call('SET', key, value, 'KEEPTTL') else call('SET', key, value, 'PXAT', format('%d', reset)) end
end

if denied == 0 then
  userCount, organizationCount = userCount + 1, organizationCount + 1
  write(KEYS[1], userReset, userCount, userBegun)
  write(KEYS[2], organizationReset, organizationCount, organizationBegun)
  local lapse = format('%d', now + ARGV[7])
  call('ZADD', KEYS[3], lapse, ARGV[8])
  call('PEXPIREAT', KEYS[3], lapse)
  call('ZADD', KEYS[4], lapse, ARGV[8])
  call('PEXPIREAT', KEYS[4], lapse)
end
return redis.status_reply(format('%d %d %d %d %d', denied,
  userLimit - userCount, userReset - now, organizationLimit - organizationCount, organizationReset - now))
