"""Ids of each type that a collection can be declared with, except text."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Int64, ObjectId


@dataclass(frozen=True)
class Typed:
    """Ids in their order, as their canonical strings and as other programs store them."""

    name: str
    texts: tuple[str, ...]
    values: tuple[Any, ...]
    others: tuple[str, ...]
    """Texts that are no canonical strings."""

    def __str__(self) -> str:
        return self.name


def _uuid(text: str) -> Binary:
    return Binary(UUID(text).bytes, 4)


OBJECT_IDS = tuple(f"65f0c0ffee000000000000{n:02x}" for n in range(0xA8, 0xAD))
UUIDS = tuple(f"018e3a5f-7c00-7000-8000-0000000000{n:02x}" for n in range(0xA8, 0xAD))
TYPED = [
    Typed(
        "objectid",
        OBJECT_IDS,
        tuple(map(ObjectId, OBJECT_IDS)),
        (OBJECT_IDS[0].upper(), OBJECT_IDS[0][:23], OBJECT_IDS[0] + "0", "ada", "5", UUIDS[0]),
    ),
    Typed(
        "uuid",
        UUIDS,
        tuple(map(_uuid, UUIDS)),
        (UUIDS[0].upper(), UUIDS[0].replace("-", ""), f"{{{UUIDS[0]}}}", "ada", OBJECT_IDS[0]),
    ),
    Typed(
        "integer",
        ("-3", "0", "7", "10", str(2**63 - 1)),
        (-3, 0, 7, Int64(10), 2**63 - 1),
        ("07", "+7", "-0", "7.0", "7e0", " 7", "7 ", "\u0667", "1_0", str(2**63), "ada"),
    ),
]

each_type = pytest.mark.parametrize("typed", TYPED, ids=str)
