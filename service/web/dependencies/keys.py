"""The `Idempotency-Key` of a request, and what it stands for."""

import json
import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Request

from service.documents.updates import Update
from service.errors import InvalidParameter, raises
from service.store.collection import Collection
from service.store.idempotency import Keyed, Records
from service.store.loads import Lines
from service.web.access import DEFAULT_COLLECTION, owner_of
from service.web.dependencies.commits import ChangesDep
from service.web.dependencies.documents import Body, NewDocuments
from service.web.dependencies.parameters import CONDITIONS
from service.web.dependencies.patches import DocumentPatch
from service.web.dependencies.state import CollectionDep, RecordsDep
from service.web.direct import immediate
from service.web.headers import header
from service.web.once import Once

NAME = "idempotency-key"
MAX_CHARACTERS = 255

# A string of RFC 9651, section 3.3.3, without parameters; or any visible characters that need no
# quotation marks.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-+\--~]+")


@raises(InvalidParameter)
@immediate
def get_idempotency_key(request: Request) -> str | None:
    """The key, without its quotation marks. Raises `InvalidParameter`."""
    if header(request, NAME.encode()) is None:
        return None
    text = ", ".join(request.headers.getlist(NAME)).strip(" \t")
    if quoted := _QUOTED.fullmatch(text):
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    elif not _BARE.fullmatch(text):
        text = ""
    if not 1 <= len(text) <= MAX_CHARACTERS:
        raise InvalidParameter(
            NAME,
            f"Send one key of 1 to {MAX_CHARACTERS} visible ASCII characters in quotation marks, "
            "such as a UUID.",
        )
    return text


KeyDep = Annotated[str | None, Depends(get_idempotency_key)]


@raises(InvalidParameter)
@immediate
def get_once_creating(
    request: Request,
    key: KeyDep,
    sent: NewDocuments,
    records: RecordsDep,
    collection: CollectionDep,
) -> Once | None:
    """What answers the request once, if it has a key. Raises `InvalidParameter` for a load, which
    is no single transaction."""
    if key is None:
        return None
    if isinstance(sent, Lines):
        raise InvalidParameter(
            NAME, "A load takes no key. Give each line an `_id`: then it can be sent again."
        )
    return _once(request, records, key, collection, sent)


@immediate
def get_once_patching(
    request: Request,
    key: KeyDep,
    body: Body,
    patch: DocumentPatch,
    records: RecordsDep,
    collection: CollectionDep,
) -> Once | None:
    """What answers the request once, if it has a key."""
    if key is None:
        return None
    upserts = isinstance(patch, Update) and patch.upsert
    return _once(request, records, key, collection, body, "upsert" if upserts else "")


@immediate
def get_once_committing(
    request: Request, key: KeyDep, body: Body, records: RecordsDep, changes: ChangesDep
) -> Once | None:
    """What answers the request once, if it has a key."""
    if key is None:
        return None
    usual: Collection = request.app.state.collections[DEFAULT_COLLECTION]
    names = {change.target.database.name for change in changes}
    return _once(request, records, key, usual, body, sorted(names))


OnceCreating = Annotated[Once | None, Depends(get_once_creating)]
OncePatching = Annotated[Once | None, Depends(get_once_patching)]
OnceCommitting = Annotated[Once | None, Depends(get_once_committing)]


def _once(
    request: Request,
    records: Records,
    key: str,
    collection: Collection,
    content: bytes,
    option: str | Sequence[str] = "",
) -> Once:
    """`collection` is that of the path, or the usual one. Services with one database share the
    records, and may have different collections at the same path."""
    who, place = owner_of(request), collection.target.database.name
    id = _digest([*who], request.method, request.scope["path"], place, key)
    conditions = {
        name.decode(): request.headers.getlist(name.decode()) for name in sorted(CONDITIONS)
    }
    media_type = header(request, b"content-type")
    fingerprint = _digest(conditions, media_type, option, content=content)
    return Once(request, records, Keyed(id, fingerprint))


def _digest(*parts: object, content: bytes = b"") -> str:
    """A hash of these values, and of bytes. Strings of tokens may have lone surrogates."""
    digest = blake2b(json.dumps(parts).encode(), digest_size=32)
    digest.update(content)
    return digest.hexdigest()
