-- Requests for wrk: METHOD (GET, PUT, MIXED, or PATCH as MERGE or COUNT) of random ids out of
-- DOCUMENTS, with bodies of about BODY_BYTES, or with the BODY that is given, in which %d is a
-- number, and with IF_MATCH, if it is given; or PAGE, the first page of 100 documents. Ends with one
-- line of JSON.
local method = os.getenv("METHOD")
local documents = tonumber(os.getenv("DOCUMENTS"))
local bytes = tonumber(os.getenv("BODY_BYTES"))
local form = os.getenv("BODY")
local before_id = os.getenv("PATH_OF_IDS")
if form == "" then
   form = '{"n":%d,"name":"Ada","text":"' .. string.rep("x", math.max(0, bytes - 36)) .. '"}'
end
local headers = {["Content-Type"] = "application/json"}
if os.getenv("IF_MATCH") ~= "" then
   headers["If-Match"] = os.getenv("IF_MATCH")
end
local patches = {
   MERGE = {"application/merge-patch+json", '{"n":%d}'},
   COUNT = {"application/vnd.stuff.update-operators+json", '{"$inc":{"n":1}}'},
}

function init(args)
   math.randomseed(os.time() + tonumber(tostring({}):sub(8), 16) % 100000)
end

function request()
   if method == "PAGE" then
      return wrk.format("GET", before_id:sub(1, -2) .. "?limit=100")
   end
   local path = before_id .. math.random(documents)
   if method == "GET" or (method == "MIXED" and math.random() < 0.8) then
      return wrk.format("GET", path)
   end
   local patch = patches[method]
   if patch then
      local body = string.format(patch[2], math.random(2000, 999999))
      return wrk.format("PATCH", path, {["Content-Type"] = patch[1]}, body)
   end
   return wrk.format("PUT", path, headers, string.format(form, math.random(2000, 999999)))
end

function done(summary, latency, requests)
   local errors = summary.errors
   print(string.format(
      '{"requests":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"errors":%d}',
      summary.requests, summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
