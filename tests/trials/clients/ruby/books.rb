# The story of a declared collection.

books = Stuff::BooksApi.new

notes = Stuff::BookFields.new(
  id: 'L-7',
  title: 'Notes',
  subtitle: 'On the Analytical Engine',
  year: 1843,
  language: 'en',
  published: Date.new(1843, 9, 1),
  bought: DateTime.new(2026, 11, 23, 12, 30), # a Time would be sent in a format of Ruby's own
  authors: [Stuff::BookPerson.new(name: 'Ada Lovelace', born: 1815)],
  chapters: [%w[A B], []],
  publisher: Stuff::BookPublisher.new(
    name: 'Taylor', address: Stuff::BookPublisherAddress.new(city: 'London')
  ),
  medium: Stuff::BookMedium.new(form: 'paper', pages: 66),
  ratings: { 'Babbage' => 4.5 },
  lent: false
)
_, status, headers = books.put_book_with_http_info('notes', notes, if_none_match: '*')
check(status == 201, status)

book = books.get_book('notes', meta: true)
check([book._id, book.id] == %w[notes L-7], book)
check(book.bought == notes.bought.to_time, book.bought)
same = Stuff::BookFields.openapi_types.keys - [:bought]
same.each { |name| check(book.send(name) == notes.send(name), name, book) }
etag = "\"#{book._stuff.etag}\""
check(etag == headers['ETag'], etag)

wrong = Stuff::BookFields.new(id: '7', title: ' Notes', year: 1843)
problem = refused(422) { books.put_book('notes', wrong) }
check(problem.type == '/problems/schema-violation', problem)
check(problem.errors.all?(Stuff::Fault), problem)
check(problem.errors.map(&:pointer).sort == ['/id', '/title'], problem)
check(problem.errors.none? { |fault| fault.detail.empty? }, problem)

# What is nil is removed, what is not named stays.
patch = Stuff::BookPatch.new(
  subtitle: nil,
  lent: true,
  publisher: Stuff::BookPublisherPatch.new(
    address: Stuff::BookPublisherAddressPatch.new(street: 'Red Lion Court')
  )
)
patched = books.patch_book('notes', patch, if_match: etag)
check(patched.subtitle.nil? && patched.lent, patched)
moved = Stuff::BookPublisherAddress.new(city: 'London', street: 'Red Lion Court')
check(patched.publisher == Stuff::BookPublisher.new(name: 'Taylor', address: moved), patched)
check(patched.medium == book.medium, patched)

refused(412) { books.put_book('notes', notes, if_match: etag) }

other = books.create_book(Stuff::BookFields.new(title: 'Passages', year: 1864))._id
titles = []
after = nil
loop do
  page = books.list_books(sort: 'year', limit: 1, after: after)
  titles += page.items.map(&:title)
  after = page._next
  break if after.nil?
end
check(titles == %w[Notes Passages], titles)

['notes', other].each do |each|
  _, status = books.delete_book_with_http_info(each)
  check(status == 204, status)
end
