"""The ids of documents. Those of a collection have one type, which says what a path means:

    path, JSON                  `_id`
    "65f0c0ffee..."  ◀────────▶ ObjectId("65f0c0ffee...")

`Ids.parse` leads from the canonical string of an id to the id, `canonical` back. Other programs may
have stored ids of other types, too: those are listed as Extended JSON, and no path leads to them.
"""

from service.documents.ids.conditions import with_ids
from service.documents.ids.keys import Id, Key, canonical, key_in, key_of
from service.documents.ids.showing import with_texts
from service.documents.ids.types import MAX_ID_BYTES, TEXT, TYPES, Ids, check_id

__all__ = [
    "MAX_ID_BYTES",
    "TEXT",
    "TYPES",
    "Id",
    "Ids",
    "Key",
    "canonical",
    "check_id",
    "key_in",
    "key_of",
    "with_ids",
    "with_texts",
]
