"""Strings that are stored as another BSON type, by the `x-bson` of a schema: dates, ObjectIds,
decimals, binary data and UUIDs.

They are strings for clients and for the schema, and values of MongoDB in the database, in filters
and in indexes. Which paths are typed is found once, at the start (`declared`), and each value has
one canonical string (`kinds`).
"""

from service.documents.typed.declared import RESERVED, TypeFault, typed_paths
from service.documents.typed.types import Types

__all__ = ["RESERVED", "TypeFault", "Types", "typed_paths"]
