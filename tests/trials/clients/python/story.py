"""The story, by the client of openapi-python-client."""

import os

from stuff_client import AuthenticatedClient
from stuff_client.api.commits import commit
from stuff_client.api.documents import (
    create_document,
    delete_document,
    get_document,
    get_documents,
    patch_document,
    put_document,
)
from stuff_client.models import (
    Commit,
    CommitResult,
    Document,
    DocumentPage,
    Fields,
    MergePatch,
    PatchOperation,
    PatchOperationOp,
    Problem,
    Write,
    WriteDocument,
    WriteOp,
)
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

made = commit.sync(
    client=client,
    body=Commit(
        writes=[
            Write(op=WriteOp.CREATE, id="c/1", document=WriteDocument.from_dict({"n": 1})),
            Write(op=WriteOp.PUT, id="c/2", document=WriteDocument.from_dict({"l": [1]})),
        ]
    ),
)
assert isinstance(made, CommitResult)
assert [each.status for each in made.results] == [201, 201]

added = PatchOperation(op=PatchOperationOp.ADD, path="/l/-", value=2)
changed = commit.sync(
    client=client,
    body=Commit(
        writes=[
            Write(op=WriteOp.CHECK, id="c/1", if_match=made.results[0].etag or UNSET),
            Write(op=WriteOp.JSON_PATCH, id="c/2", operations=[added]),
        ]
    ),
)
assert isinstance(changed, CommitResult)
refused = commit.sync(
    client=client,
    body=Commit(writes=[Write(op=WriteOp.DELETE, id="c/1"), Write(op=WriteOp.DELETE, id="absent")]),
)
assert isinstance(refused, Problem)
assert (refused.status, refused.index) == (404, 1)
both = commit.sync(
    client=client,
    body=Commit(writes=[Write(op=WriteOp.DELETE, id=f"c/{n}") for n in (1, 2)]),
)
assert isinstance(both, CommitResult)

for each in [id, *(f"p/{number}" for number in range(5))]:
    assert delete_document.sync_detailed(each, client=client).status_code == 204
gone = get_document.sync(id, client=client)
assert isinstance(gone, Problem)
assert gone.status == 404
