"""The story of a declared collection, by the client of openapi-python-client."""

import os
from datetime import UTC, date, datetime

from stuff_client import AuthenticatedClient
from stuff_client.api.books import (
    create_book,
    delete_book,
    get_book,
    list_books,
    patch_book,
    put_book,
)
from stuff_client.models import (
    Book,
    BookCreated,
    BookFields,
    BookFieldsLanguage,
    BookFieldsRatings,
    BookMedium,
    BookMediumForm,
    BookPage,
    BookPatch,
    BookPerson,
    BookPublisher,
    BookPublisherAddress,
    BookPublisherAddressPatch,
    BookPublisherPatch,
    Metadata,
    Problem,
)
from stuff_client.types import UNSET

client = AuthenticatedClient(base_url=os.environ["STUFF_URL"], token=os.environ["STUFF_KEY"])

notes = BookFields(
    id="L-7",
    title="Notes",
    subtitle="On the Analytical Engine",
    year=1843,
    language=BookFieldsLanguage.EN,
    published=date(1843, 9, 1),
    bought=datetime(2026, 11, 23, 12, 30, tzinfo=UTC),
    authors=[BookPerson(name="Ada Lovelace", born=1815)],
    chapters=[["A", "B"], []],
    publisher=BookPublisher(name="Taylor", address=BookPublisherAddress(city="London")),
    medium=BookMedium(form=BookMediumForm.PAPER, pages=66),
    ratings=BookFieldsRatings.from_dict({"Babbage": 4.5}),
    lent=False,
)
created = put_book.sync_detailed("notes", client=client, body=notes, if_none_match="*")
assert created.status_code == 201

book = get_book.sync("notes", client=client, meta=True)
assert isinstance(book, Book)
assert (book.field_id, book.id) == ("notes", "L-7")
stored = book.to_dict()
del stored["_stuff"]
assert stored == {"_id": "notes", **notes.to_dict()}
assert isinstance(book.field_stuff, Metadata)
etag = f'"{book.field_stuff.etag}"'
assert etag == created.headers["ETag"]

wrong = BookFields(id="7", title=" Notes", year=1843)
refused = put_book.sync_detailed("notes", client=client, body=wrong)
assert refused.status_code == 422
assert isinstance(refused.parsed, Problem)
assert refused.parsed.type_ == "/problems/schema-violation"
assert isinstance(refused.parsed.errors, list)
assert {fault.pointer for fault in refused.parsed.errors} == {"/id", "/title"}
assert all(fault.detail for fault in refused.parsed.errors)

patch = BookPatch(  # what is None is removed, what is not named stays
    subtitle=None,
    lent=True,
    publisher=BookPublisherPatch(address=BookPublisherAddressPatch(street="Red Lion Court")),
)
patched = patch_book.sync("notes", client=client, body=patch, if_match=etag)
assert isinstance(patched, Book)
assert patched.subtitle is UNSET
assert patched.lent is True
assert patched.publisher == BookPublisher(
    name="Taylor", address=BookPublisherAddress(city="London", street="Red Lion Court")
)
assert (patched.title, patched.medium) == (book.title, book.medium)

late = put_book.sync_detailed("notes", client=client, body=notes, if_match=etag)
assert late.status_code == 412

other = create_book.sync(client=client, body=BookFields(title="Passages", year=1864))
assert isinstance(other, BookCreated)
titles: list[str] = []
after: str | None = None
while True:
    page = list_books.sync(client=client, sort="year", limit=1, after=after)
    assert isinstance(page, BookPage)
    titles += [item.title for item in page.items]
    after = page.next_
    if after is None:
        break
assert titles == ["Notes", "Passages"]

for each in ("notes", other.field_id):
    assert delete_book.sync_detailed(each, client=client).status_code == 204
