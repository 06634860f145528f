"""The story, by the client of openapi-python-client."""

import os

from stuff_client import AuthenticatedClient
from stuff_client.api.documents import (
    create_document,
    delete_document,
    get_document,
    get_documents,
    patch_document,
    put_document,
)
from stuff_client.models import Document, DocumentPage, Fields, MergePatch, Problem
from stuff_client.types import UNSET

client = AuthenticatedClient(base_url=os.environ["STUFF_URL"], token=os.environ["STUFF_KEY"])


def fields(**values: object) -> Fields:
    return Fields.from_dict(values)


created = create_document.sync_detailed(client=client, body=fields(name="Ada", born=1815))
assert created.status_code == 201
assert isinstance(created.parsed, Document)
id, etag = str(created.parsed["_id"]), created.headers["ETag"]

got = get_document.sync(id, client=client)
assert isinstance(got, Document)
assert got.additional_properties == {"_id": id, "name": "Ada", "born": 1815}

replacement = fields(name="Ada Lovelace")
replaced = put_document.sync_detailed(id, client=client, body=replacement, if_match=etag)
assert replaced.status_code == 200

late = put_document.sync_detailed(id, client=client, body=fields(name="?"), if_match=etag)
assert late.status_code == 412
assert isinstance(late.parsed, Problem)
assert late.parsed.type_ == "/problems/precondition-failed"
assert late.parsed.etag == replaced.headers["ETag"]

patched = patch_document.sync(id, client=client, body=MergePatch.from_dict({"died": 1852}))
assert isinstance(patched, Document)
assert patched.additional_properties == {"_id": id, "name": "Ada Lovelace", "died": 1852}

for number in range(5):
    put = put_document.sync_detailed(f"p/{number}", client=client, body=fields(page=number))
    assert put.status_code == 201
numbers: list[object] = []
after: str | None = None
while True:
    page = get_documents.sync(
        client=client, filter_='{"page": {"$gte": 0}}', limit=2, after=after or UNSET
    )
    assert isinstance(page, DocumentPage)
    numbers += [item["page"] for item in page.items]
    after = page.next_
    if after is None:
        break
assert numbers == [0, 1, 2, 3, 4]

for each in [id, *(f"p/{number}" for number in range(5))]:
    assert delete_document.sync_detailed(each, client=client).status_code == 204
gone = get_document.sync(id, client=client)
assert isinstance(gone, Problem)
assert gone.status == 404
