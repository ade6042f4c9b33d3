-- wrk's side of the HTTP comparison.
--
--   wrk … -s calls.lua URL -- kmalloc SESSION
--   wrk … -s calls.lua URL -- kfree SESSION ADDRESSES
--
-- kmalloc sends one fixed request. kfree frees each address of a file once, in an order that all requests are built
-- for beforehand, so that the client spends the same little work on every server. Prints one line of JSON.

local requests = nil
local next_request = 0

local function post(path, body)
   return wrk.format("POST", path, {["Content-Type"] = "application/json"}, body)
end

function init(arguments)
   local call, session = arguments[1], arguments[2]
   local path = "/v1/sessions/" .. session .. "/calls/" .. call
   requests = {}
   if call == "kmalloc" then
      requests[1] = post(path, '{"size":64,"flags":"GFP_KERNEL"}')
   else
      for address in io.lines(arguments[3]) do
         requests[#requests + 1] = post(path, '{"objp":"' .. address .. '"}')
      end
   end
   -- A collection in the middle of a run would be read as the server's latency.
   collectgarbage("stop")
end

function request()
   next_request = next_request % #requests + 1
   return requests[next_request]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"errors":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
