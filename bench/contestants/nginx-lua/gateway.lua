-- The work of a gateway in OpenResty's phases: key check and admission on the way in, release when the
-- request has been logged. Releases travel with the next admission; a timer takes those that none took.

local ffi = require 'ffi'
local new_tab = require 'table.new'
local client = require 'redis_client'
local settings = require 'settings'

ffi.cdef [[
typedef struct evp_md_st EVP_MD;
const EVP_MD *EVP_sha256(void);
unsigned char *HMAC(const EVP_MD *md, const void *key, int key_len, const unsigned char *text,
  size_t length, unsigned char *digest, unsigned int *digest_length);
int CRYPTO_memcmp(const void *a, const void *b, size_t length);
]]

local C = ffi.C
local sha256 = C.EVP_sha256()
local digest = ffi.new('unsigned char[32]')
local pepper = settings.pepper
local decode_base64, find, sub, match = ngx.decode_base64, string.find, string.sub, string.match
local bulk = client.bulk
local exit, header, var, ctx_of = ngx.exit, ngx.header, ngx.var, ngx

local gateway = {}

-- Key id -> who it belongs to, the secret's digest, and those parts of the command that never change.
local records = {}
-- Stands where a key id is unknown, so that the work is the same.
local nobody = { digest = ffi.new('unsigned char[32]') }

local function hmac(secret)
  C.HMAC(sha256, pepper, #pepper, secret, #secret, digest, nil)
  return digest
end

-- Everything of EVALSHA's arguments that the user does not decide.
local limits = bulk(settings.user_requests) .. bulk(settings.window_ms)
  .. bulk(settings.organization_requests) .. bulk(settings.window_ms)
  .. bulk(settings.user_concurrent) .. bulk(settings.organization_concurrent) .. bulk(settings.lease_ms)
local evalsha = '$7\r\nEVALSHA\r\n' .. bulk(settings.sha1)

function gateway.init()
  for _, user in ipairs(settings.users) do
    local root = 'lua:{' .. user.organization .. '}:'
    local slots = bulk(root .. 'user:' .. user.id .. ':slots') .. bulk(root .. 'organization:slots')
    local copy = ffi.new('unsigned char[32]')
    ffi.copy(copy, hmac(user.secret), 32)
    records[user.key] = {
      digest = copy,
      user = user.id,
      organization = user.organization,
      keys = bulk(root .. 'user:' .. user.id .. ':window') .. bulk(root .. 'organization:window') .. slots,
      slots = slots,
    }
  end
end

-- Releases that Redis was not told of yet.
local max_releases = 64
local pending_slots, pending_leases, pending = new_tab(1024, 0), new_tab(1024, 0), 0

-- Build EVALSHA for one admission (or for none) and up to `max_releases` releases.
local parts = new_tab(2 * max_releases + 8, 0)
local function command(keys, lease)
  local taken = pending < max_releases and pending or max_releases
  parts[1] = '*' .. (15 + 3 * taken) .. '\r\n'
  parts[2] = evalsha
  parts[3] = bulk(4 + 2 * taken .. '')
  parts[4] = keys
  local at = 4
  for i = pending - taken + 1, pending do
    at = at + 1
    parts[at] = pending_slots[i]
  end
  parts[at + 1] = limits
  parts[at + 2] = bulk(lease)
  at = at + 2
  for i = pending - taken + 1, pending do
    at = at + 1
    parts[at] = pending_leases[i]
  end
  pending = pending - taken
  return parts, at
end

local function call(keys, lease)
  return client.call('127.0.0.1', settings.redis_port, command(keys, lease))
end

local function authenticate()
  local field = var.http_authorization
  if not field or not find(field, '^[Bb][Aa][Ss][Ii][Cc] ') then return nil end
  local decoded = decode_base64(sub(field, 7))
  local colon = decoded and find(decoded, ':', 1, true)
  if not colon then return nil end
  local record = records[sub(decoded, 1, colon - 1)]
  local equal = C.CRYPTO_memcmp(hmac(sub(decoded, colon + 1)), (record or nobody).digest, 32) == 0
  return equal and record or nil
end

local function refuse(status, code)
  ngx.status = status
  header['Content-Type'] = 'application/json'
  if status == 401 then header['WWW-Authenticate'] = 'Basic realm="bench"' end
  ngx.print('{"status":"' .. status .. '","error":{"code":"' .. code .. '"},"requestId":"' .. var.request_id .. '"}')
  return exit(status)
end

local lease_root, lease_count = settings.process .. ':', 0

function gateway.access()
  local record = authenticate()
  if not record then return refuse(401, 'CREDENTIAL_REJECTED') end
  lease_count = lease_count + 1
  local lease = lease_root .. lease_count
  local line, problem = call(record.keys, lease)
  if not line then
    -- Admitted, as Kong does by default, and told: nginx-lua.ts counts these lines.
    ngx.log(ngx.ERR, 'admitted without Redis: ', problem)
    var.principal, var.organization = record.user, record.organization
    return
  end
  local denied, user_left, user_ms, organization_left, organization_ms =
    match(line, '^%+(%d+) (%-?%d+) (%d+) (%-?%d+) (%d+)')
  local limit, left, ms = settings.user_requests, user_left, user_ms
  if tonumber(organization_left) < tonumber(user_left) then
    limit, left, ms = settings.organization_requests, organization_left, organization_ms
  end
  local reset = math.ceil(ms / 1000)
  header['X-RateLimit-Limit'] = limit
  header['X-RateLimit-Remaining'] = left
  header['X-RateLimit-Reset'] = reset
  if denied ~= '0' then
    header['Retry-After'] = reset
    return refuse(429, 'RATE_LIMIT_EXCEEDED')
  end
  local context = ctx_of.ctx
  context.slots, context.lease = record.slots, lease
  var.principal, var.organization = record.user, record.organization
end

function gateway.log()
  local context = ctx_of.ctx
  local lease = context.lease
  if not lease then return end
  pending = pending + 1
  pending_slots[pending], pending_leases[pending] = context.slots, bulk(lease)
end

-- No admission came by to take them along.
local function flush(premature)
  while pending > 0 and not premature do
    local ignored = bulk('-')
    local _, problem = call(ignored .. ignored .. ignored .. ignored, '')
    if problem then return ngx.log(ngx.ERR, 'redis: ', problem) end
  end
end

function gateway.init_worker()
  ngx.timer.every(0.01, flush)
end

return gateway
