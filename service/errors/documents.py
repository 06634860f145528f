"""Errors about documents: what was sent cannot be stored, or does not fit what is stored."""

from collections.abc import Sequence

from service.errors.base import StuffError, json_pointer


class AtPointer(StuffError):
    """A problem at one place of a JSON value, to which `pointer` (RFC 6901) leads."""

    def __init__(self, detail: str, path: Sequence[str | int] = ()) -> None:
        self.pointer = json_pointer(path)
        super().__init__(detail, members={"pointer": self.pointer})


PUT_ONE = "PUT one to this address to create it."
CORRECT_THEM = "Correct what `errors` lists."


class DocumentNotFound(StuffError):
    """No document has this id."""

    status, slug, title = 404, "document-not-found", "No such document"

    def __init__(self, id: str, advice: str = PUT_ONE) -> None:
        super().__init__(f"There is no document {id!r}. {advice}")


class Conflict(StuffError):
    """409: the request does not fit the state of the collection."""

    status = 409


class DuplicateKey(Conflict):
    """A unique index of the collection has this value already, for another document. `keys` are the
    fields of the index."""

    slug, title = "duplicate-key", "A unique value is already taken"

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(
            "A unique index of the collection holds this value already. Send another.",
            members={"keys": list(keys)},
        )


class PatchTestFailed(AtPointer, Conflict):
    """A `test` operation of a JSON Patch found another value. `pointer` is the JSON Pointer to the
    operation in the patch."""

    slug, title = "patch-test-failed", "A test of the patch failed"


class IdempotencyKeyInUse(Conflict):
    """A request with this Idempotency-Key is still under way. The same request a moment later gets
    its answer."""

    slug, title = "idempotency-key-in-use", "A request with this key is under way"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key is still under way. Send this one again.",
            headers={"Retry-After": "1"},
        )


class PreconditionFailed(StuffError):
    """The document is not in the state that If-Match, If-None-Match or If-Unmodified-Since asks
    for. `etag` is its current entity tag, null if there is no document; a key or token without the
    scope `read` does not get it."""

    status, slug, title = 412, "precondition-failed", "The precondition failed"
    private = frozenset({"etag"})

    def __init__(self, detail: str, etag: str | None) -> None:
        super().__init__(detail, members={"etag": None if etag is None else f'"{etag}"'})


class Invalid(StuffError):
    """422: the request is well-formed, but what it says is not allowed."""

    status = 422


class InvalidDocument(AtPointer, Invalid):
    """The JSON is well-formed, but cannot be stored without loss, or uses a reserved name.
    `pointer` is the JSON Pointer to the place."""

    slug, title = "invalid-document", "The JSON cannot be stored as a document"


class InvalidPatch(AtPointer, Invalid):
    """The patch is not well-formed, or one of its operations cannot be applied to the document.
    `pointer` is the JSON Pointer to the place in the patch."""

    slug, title = "invalid-patch", "The patch cannot be applied"


class InvalidCommit(AtPointer, Invalid):
    """A write of the commit does not have what it needs, has what its kind does not take, or names
    a document that another one names. `pointer` is the JSON Pointer to the place in the body."""

    slug, title = "invalid-commit", "The commit is not valid"

    def __init__(
        self, detail: str, path: Sequence[str | int] = (), index: int | None = None
    ) -> None:
        """`index` is that of the write, if the fault is in one."""
        super().__init__(detail, path)
        if index is not None:
            self.members["index"] = index


class InvalidParameter(Invalid):
    """A parameter of the request, named by `parameter`, has a value that is not allowed. If the
    value is JSON, `pointer` is the JSON Pointer to the place in it."""

    slug, title = "invalid-parameter", "A parameter is not valid"

    def __init__(self, parameter: str, detail: str, pointer: str | None = None) -> None:
        place = {} if pointer is None else {"pointer": pointer}
        super().__init__(detail, members={"parameter": parameter, **place})


class IdempotencyKeyReused(Invalid):
    """Another request was sent with this Idempotency-Key before: with another body, media type,
    `upsert` or other conditions."""

    slug, title = "idempotency-key-reused", "Another request had this key"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was sent with another request: the body, its media type, "
            "'upsert' or the conditions were not the same. Send a new key, or the same request.",
            members={"parameter": "idempotency-key"},
        )


class InvalidId(Invalid):
    """An id has 1 to 512 bytes of UTF-8 and no control characters."""

    slug, title = "invalid-id", "The id is not valid"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, members={"parameter": "id"})


class DocumentRejected(Invalid):
    """MongoDB refused the document, for example because it fails the collection's validator."""

    slug, title = "document-rejected", "The database refused the document"


class SchemaViolation(Invalid):
    """The document is not as the schema of its collection says. `errors` lists the places, up to
    twenty, each with a JSON Pointer and what to send there."""

    slug, title = "schema-violation", "The document does not fit the schema"

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        """`faults` are JSON Pointers, and what to send there."""
        self.faults = [*faults]
        places = "one place" if len(faults) == 1 else f"{len(faults)} places"
        super().__init__(
            f"The document does not fit the schema of its collection in {places}. {CORRECT_THEM}",
            members={
                "errors": [{"pointer": pointer, "detail": detail} for pointer, detail in faults]
            },
        )
