-- usage.lua: how much is counted in windows now. Nothing is changed.
--
-- KEYS     windows that do not slide, as admit.lua writes them; all have one hash tag
-- returns  { per window: what is counted in it, 0 where it has not begun or is over }

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local used = {}
for i, value in ipairs(redis.call('MGET', unpack(KEYS))) do
  local reset = value and tonumber(string.sub(value, 1, 13))
  used[i] = reset and reset > now and tonumber(string.sub(value, 14)) or 0
end
return used
