# The stories, by the client of openapi-generator.

$LOAD_PATH.unshift "#{__dir__}/stuff/lib"
require 'stuff'
require 'uri'

def check(holds, *what)
  raise what.inspect unless holds
end

# The problem with which the call is refused.
def refused(status)
  yield
rescue Stuff::ApiError => e
  check(e.code == status, e.message)
  Stuff::Problem.build_from_hash(JSON.parse(e.response_body))
else
  raise 'it was not refused'
end

Stuff.configure do |configuration|
  address = URI(ENV.fetch('STUFF_URL'))
  configuration.scheme = address.scheme
  configuration.host = "#{address.host}:#{address.port}"
  configuration.access_token = ENV.fetch('STUFF_KEY')
end
documents = Stuff::DocumentsApi.new

ada = {
  name: 'Ada',
  born: 1815,
  height: 1.5,
  works: [{ title: 'Notes', pages: [1, 2] }, []],
  address: { city: 'London', rooms: {} },
  died: nil
}
created, status, headers = documents.create_document_with_http_info(ada)
check(status == 201, status)
id = created[:_id]
etag = headers['ETag']
got = documents.get_document(id)
check(got == { _id: id, **ada }, got)

_, status, headers = documents.put_document_with_http_info(id, { name: 'Ada Lovelace' }, if_match: etag)
check(status == 200, status)
problem = refused(412) { documents.put_document(id, { name: '?' }, if_match: etag) }
check(problem.type == '/problems/precondition-failed', problem)
check(problem.etag == headers['ETag'], problem)

patched = documents.patch_document(id, { died: 1852, name: nil })
check(patched == { _id: id, died: 1852 }, patched)

ids = [id]
5.times do |number|
  ids << "p/#{number}"
  documents.put_document(ids.last, { page: number })
end
numbers = []
after = nil
loop do
  page = documents.get_documents(limit: 2, after: after, filter: '{"page": {"$gte": 0}}')
  numbers += page.items.map { |item| item[:page] }
  after = page._next
  break if after.nil?
end
check(numbers == [0, 1, 2, 3, 4], numbers)

ids.each do |each|
  _, status = documents.delete_document_with_http_info(each)
  check(status == 204, status)
end
refused(404) { documents.get_document(id) }

require_relative 'books'
