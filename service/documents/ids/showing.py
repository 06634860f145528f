"""Documents as JSON, in which ids are their canonical strings."""

from typing import Any

from service.documents.codec import Dumps, Pick
from service.documents.ids.keys import canonical
from service.documents.ids.types import Ids
from service.documents.layout import Metadata


def with_texts(dumps: Dumps, ids: Ids) -> Dumps:
    """Writes documents as `dumps` does, but an `_id` of this type as its canonical string."""

    def shown(values: dict[str, Any]) -> dict[str, Any]:
        id = values.get("_id")
        if id is not None and ids.owns(id):
            values["_id"] = canonical(id)
        return values

    def dumps_with_texts(
        document: bytes, metadata: Metadata | None = None, pick: Pick | None = None
    ) -> bytes:
        return dumps(
            document, metadata, shown if pick is None else lambda whole: shown(pick(whole))
        )

    return dumps_with_texts
