-- What wrk sends, and what it prints at the end: one line of JSON that load.ts reads.
-- arguments: a file with one Basic credential a line, and the path to ask for

local requests, last, at = {}, 0, 0

function init(args)
  for credential in io.lines(args[1]) do
    last = last + 1
    requests[last] = wrk.format('GET', args[2], {
      Host = wrk.host .. ':' .. wrk.port,
      Authorization = 'Basic ' .. credential,
      Accept = 'application/json',
      ['User-Agent'] = 'bench',
    })
  end
end

function request()
  at = at % last + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationMicros":%d,"p50Micros":%d,"p99Micros":%d,"badStatus":%d,"brokenConnections":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
