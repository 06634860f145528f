"""The `Idempotency-Key` of a request, and what it stands for."""

import re
from hashlib import blake2b
from typing import Annotated

import orjson
from fastapi import Depends, Request

from service.documents.updates import Update
from service.errors import InvalidParameter, raises
from service.store.idempotency import Keyed, Records
from service.store.loads import Lines
from service.web.access import owner_of
from service.web.dependencies.documents import Body, NewDocuments
from service.web.dependencies.parameters import CONDITIONS
from service.web.dependencies.patches import DocumentPatch
from service.web.dependencies.state import RecordsDep
from service.web.headers import header
from service.web.once import Once

NAME = "idempotency-key"
MAX_CHARACTERS = 255

# A string of RFC 9651, section 3.3.3, without parameters; or any visible characters that need no
# quotation marks.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-+\--~]+")


@raises(InvalidParameter)
async def get_idempotency_key(request: Request) -> str | None:
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
async def get_once_creating(
    request: Request, key: KeyDep, sent: NewDocuments, records: RecordsDep
) -> Once | None:
    """What answers the request once, if it has a key. Raises `InvalidParameter` for a load, which
    is no single transaction."""
    if key is None:
        return None
    if isinstance(sent, Lines):
        raise InvalidParameter(
            NAME, "A load takes no key. Give each line an `_id`: then it can be sent again."
        )
    return _once(request, records, key, sent)


async def get_once_patching(
    request: Request, key: KeyDep, body: Body, patch: DocumentPatch, records: RecordsDep
) -> Once | None:
    """What answers the request once, if it has a key."""
    if key is None:
        return None
    upserts = isinstance(patch, Update) and patch.upsert
    return _once(request, records, key, body, "upsert" if upserts else "")


async def get_once_committing(
    request: Request, key: KeyDep, body: Body, records: RecordsDep
) -> Once | None:
    """What answers the request once, if it has a key."""
    return None if key is None else _once(request, records, key, body)


OnceCreating = Annotated[Once | None, Depends(get_once_creating)]
OncePatching = Annotated[Once | None, Depends(get_once_patching)]
OnceCommitting = Annotated[Once | None, Depends(get_once_committing)]


def _once(request: Request, records: Records, key: str, content: bytes, option: str = "") -> Once:
    who = owner_of(request)
    id = _digest([*who], request.method, request.scope["path"], key)
    conditions = {
        name.decode(): request.headers.getlist(name.decode()) for name in sorted(CONDITIONS)
    }
    media_type = header(request, b"content-type")
    fingerprint = _digest(conditions, media_type, option, content=content)
    return Once(request, records, Keyed(id, fingerprint))


def _digest(*parts: object, content: bytes = b"") -> str:
    """A hash of these values, and of bytes."""
    digest = blake2b(orjson.dumps(parts), digest_size=32)
    digest.update(content)
    return digest.hexdigest()
