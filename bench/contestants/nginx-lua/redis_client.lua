-- As much of a Redis client as the gateway needs: a command out, one status line back, over cosockets
-- with a keep-alive pool.

local tcp = ngx.socket.tcp
local concat = table.concat

local client = {}

local timeout_ms, pool_size = 50, 256

--- One argument in the protocol's form.
function client.bulk(text)
  return '$' .. #text .. '\r\n' .. text .. '\r\n'
end

--- Send a command and read the line that answers it.
-- @param parts strings that make up the whole command; the first `count` of them are sent
-- @return the line without its mark, or nil and what went wrong
function client.call(host, port, parts, count)
  local socket = tcp()
  socket:settimeout(timeout_ms)
  local ok, problem = socket:connect(host, port)
  if not ok then return nil, problem end
  local sent, send_problem = socket:send(concat(parts, '', 1, count))
  if not sent then return nil, send_problem end
  local line, receive_problem = socket:receive('*l')
  if not line then return nil, receive_problem end
  socket:setkeepalive(60000, pool_size)
  if line:byte(1) == 45 then return nil, line end -- "-": an error
  return line
end

return client
